# Installing libknhk for programs in C and C++, and packing it up. `make install PREFIX=/usr DESTDIR=/tmp/root` for packagers.

LIBDIR ?= lib
DESTDIR ?=
ABI := $(shell sed -n 's/^const ABI: u32 = \([0-9]*\);/\1/p' build.rs)
VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
URL := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^repository = "\(.*\)"/\1/p' Cargo.toml)
LIBS_PRIVATE := -lpthread -ldl -lm
BUILT := $(or $(CARGO_TARGET_DIR),target)/release
PACKAGE := knhk-$(VERSION)-$(shell uname -m)-linux

HEADERS := include/knhk.h include/knhk_inline.h include/knhk.hpp

# The shared library and the archive alone: with the Rust library beside them there is no link-time optimisation.
.PHONY: library
library:
	cargo rustc --release --package knhk --lib --crate-type cdylib,staticlib

# From lib/cmake/knhk back to the prefix.
to_prefix = ../../$(shell printf '%s' '$(LIBDIR)' | sed 's|[^/][^/]*|..|g')

# $(call filled,template,to): a template with its variables set.
define filled
sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@VERSION@|$(VERSION)|g' -e 's|@ABI@|$(ABI)|g' -e 's|@URL@|$(URL)|g' \
    -e 's|@LIBS_PRIVATE@|$(LIBS_PRIVATE)|g' -e 's|@TO_PREFIX@|$(to_prefix)|g' ffi/packaging/$(1).in > '$(2)/$(1)'
chmod 644 '$(2)/$(1)'
endef

install: library ## Installs headers, libraries, pkg-config and CMake files under PREFIX (default /usr/local).
	@echo "installing libknhk $(VERSION) (ABI $(ABI)) under $(DESTDIR)$(PREFIX)"
	install -d '$(DESTDIR)$(PREFIX)/include' '$(DESTDIR)$(PREFIX)/$(LIBDIR)/pkgconfig' '$(DESTDIR)$(PREFIX)/$(LIBDIR)/cmake/knhk'
	install -m 644 $(HEADERS) '$(DESTDIR)$(PREFIX)/include'
	install -m 755 $(BUILT)/libknhk.so '$(DESTDIR)$(PREFIX)/$(LIBDIR)/libknhk.so.$(VERSION)'
	ln -sf libknhk.so.$(VERSION) '$(DESTDIR)$(PREFIX)/$(LIBDIR)/libknhk.so.$(ABI)'
	ln -sf libknhk.so.$(ABI) '$(DESTDIR)$(PREFIX)/$(LIBDIR)/libknhk.so'
	install -m 644 $(BUILT)/libknhk.a '$(DESTDIR)$(PREFIX)/$(LIBDIR)'
	$(call filled,knhk.pc,$(DESTDIR)$(PREFIX)/$(LIBDIR)/pkgconfig)
	$(call filled,knhk-config.cmake,$(DESTDIR)$(PREFIX)/$(LIBDIR)/cmake/knhk)
	$(call filled,knhk-config-version.cmake,$(DESTDIR)$(PREFIX)/$(LIBDIR)/cmake/knhk)

dist: library ## Packs an installation, to unpack under /usr/local, into target/dist, with its checksum.
	rm -rf target/dist && mkdir -p target/dist/root
	$(MAKE) --no-print-directory install DESTDIR='$(CURDIR)/target/dist/root' PREFIX=/usr/local
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='@$(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || echo 0))' \
	    --transform 's|^\./|$(PACKAGE)/|' -C target/dist/root/usr/local -czf 'target/dist/$(PACKAGE).tar.gz' .
	rm -rf target/dist/root
	cd target/dist && sha256sum '$(PACKAGE).tar.gz' | tee '$(PACKAGE).tar.gz.sha256'

# What the tests of C and C++ need beyond gcc; without it they say what they leave out.
$(SETUP)/c-tools:
	@mkdir -p $(@D)
	@if command -v valgrind >/dev/null && command -v cmake >/dev/null; then touch $@; \
	elif ! command -v apt-get >/dev/null; then echo "set-up: valgrind or cmake is missing and there is no apt-get: their tests say so"; \
	else echo "set-up: installing the Debian packages valgrind and cmake"; \
	    if $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends valgrind cmake >/dev/null; then touch $@; \
	    else echo "set-up: apt-get refused: their tests say what they leave out"; fi; fi
