# Installing libknhk for programs in C and C++ and the knhk command, and packing them up. `make install PREFIX=/usr DESTDIR=/tmp/root` for packagers.

LIBDIR ?= lib
DESTDIR ?=
ABI := $(shell sed -n 's/^const ABI: u32 = \([0-9]*\);/\1/p' build.rs)
VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
URL := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^repository = "\(.*\)"/\1/p' Cargo.toml)
LIBS_PRIVATE := -lpthread -ldl -lm
BUILT := $(or $(CARGO_TARGET_DIR),target)/release
PACKAGE := knhk-$(VERSION)-$(shell uname -m)-linux

HEADERS := include/knhk.h include/knhk_inline.h include/knhk.hpp include/knhk_ledger.hpp include/knhk_governance.hpp include/knhk_answers.hpp include/knhk_loop.hpp include/knhk_observed.hpp \
	include/knhk_resilience.hpp include/knhk_checkpoints.hpp include/knhk_warm.hpp include/knhk_graph.hpp include/knhk_functions.hpp

# The shared library and the archive alone: with the Rust library beside them there is no link-time optimisation.
.PHONY: library
library:
	cargo rustc --release --package knhk --lib --crate-type cdylib,staticlib

.PHONY: command
command:
	cargo build --release --package knhk-cli

# From lib/cmake/knhk back to the prefix.
to_prefix = ../../$(shell printf '%s' '$(LIBDIR)' | sed 's|[^/][^/]*|..|g')

# $(call filled,template,to): a template with its variables set.
define filled
sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@VERSION@|$(VERSION)|g' -e 's|@ABI@|$(ABI)|g' -e 's|@URL@|$(URL)|g' \
    -e 's|@LIBS_PRIVATE@|$(LIBS_PRIVATE)|g' -e 's|@TO_PREFIX@|$(to_prefix)|g' ffi/packaging/$(1).in > '$(2)/$(1)'
chmod 644 '$(2)/$(1)'
endef

# $(call completion,shell,folder under share,file)
define completion
install -d '$(DESTDIR)$(PREFIX)/share/$(2)'
$(BUILT)/knhk completion $(1) > '$(DESTDIR)$(PREFIX)/share/$(2)/$(3)'
chmod 644 '$(DESTDIR)$(PREFIX)/share/$(2)/$(3)'
endef

install: library command ## Installs the knhk command, headers, libraries, pkg-config and CMake files under PREFIX (default /usr/local).
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
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 $(BUILT)/knhk '$(DESTDIR)$(PREFIX)/bin'
	$(call completion,bash,bash-completion/completions,knhk)
	$(call completion,zsh,zsh/site-functions,_knhk)
	$(call completion,fish,fish/vendor_completions.d,knhk.fish)

dist: library command python node ## Packs an installation, to unpack under /usr/local, the wheel and the npm package into target/dist, with checksums.
	rm -rf target/dist && mkdir -p target/dist/root
	$(MAKE) --no-print-directory install DESTDIR='$(CURDIR)/target/dist/root' PREFIX=/usr/local
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='@$(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || echo 0))' \
	    --transform 's|^\./|$(PACKAGE)/|' -C target/dist/root/usr/local -czf 'target/dist/$(PACKAGE).tar.gz' .
	rm -rf target/dist/root
	VIRTUAL_ENV='$(abspath .venv)' .venv/bin/maturin build --quiet --release --manifest-path bindings/python/Cargo.toml --out target/dist
	npm pack --silent --pack-destination '$(CURDIR)/target/dist' './$(NODE)' >/dev/null
	cd target/dist && sha256sum knhk-* | tee SHA256SUMS

# What the tests of C and C++ need beyond gcc; without it they say what they leave out.
$(SETUP)/c-tools:
	@mkdir -p $(@D)
	@if command -v valgrind >/dev/null && command -v cmake >/dev/null; then touch $@; \
	elif ! command -v apt-get >/dev/null; then echo "set-up: valgrind or cmake is missing and there is no apt-get: their tests say so"; \
	else echo "set-up: installing the Debian packages valgrind and cmake"; \
	    if $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends valgrind cmake >/dev/null; then touch $@; \
	    else echo "set-up: apt-get refused: their tests say what they leave out"; fi; fi

# ThreadSanitizer on both sides of the boundary: the library is compiled with it, and Rust's standard library anew, since a lock that it does
# not see is a race to it. RUSTC_BOOTSTRAP lets the stable compiler do that.
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
TSAN := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/tsan

$(SETUP)/rust-src:
	@mkdir -p $(@D)
	@if [ -d "$$(rustc --print sysroot)/lib/rustlib/src" ]; then touch $@; \
	else echo "set-up: adding the component rust-src to the toolchain"; \
	    if rustup component add rust-src; then touch $@; \
	    else echo "set-up: there is no rust-src: ThreadSanitizer sees the program's side alone"; fi; fi

.PHONY: test-tsan
test-tsan: $(SETUP)/rust-src ## Runs the full-fence read side under ThreadSanitizer, program and library both instrumented.
	if [ -e $(SETUP)/rust-src ]; then \
	    RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=thread' cargo rustc -Zbuild-std --package knhk --lib --crate-type staticlib \
	        --target $(HOST) --target-dir '$(TSAN)'; \
	    export KNHK_TSAN_LIBRARY='$(TSAN)/$(HOST)/debug/libknhk.a'; fi; \
	cargo test --package knhk --test ffi -- thread_sanitizer

TRIAL := $(CURDIR)/target/install-test

.PHONY: test-install
test-install: $(SETUP)/c-tools ## Installs into target, and builds programs against that by pkg-config and CMake.
	rm -rf '$(TRIAL)'
	$(MAKE) --no-print-directory install PREFIX='$(TRIAL)/prefix' DESTDIR= LIBDIR=lib
	nm -D --defined-only '$(TRIAL)/prefix/lib/libknhk.so.$(ABI)' | awk '{ print $$3 }' | diff - ffi/symbols.txt
	'$(TRIAL)/prefix/bin/knhk' --version
	bash -n '$(TRIAL)/prefix/share/bash-completion/completions/knhk'
	test -s '$(TRIAL)/prefix/share/zsh/site-functions/_knhk' && test -s '$(TRIAL)/prefix/share/fish/vendor_completions.d/knhk.fish'
	export PKG_CONFIG_PATH='$(TRIAL)/prefix/lib/pkgconfig'; flags=$$(pkg-config --cflags --libs knhk); \
	    static=$$(pkg-config --cflags --libs --static knhk); \
	    gcc -std=c11 -D_GNU_SOURCE tests/c/sketch.c $$flags -Wl,-rpath,'$(TRIAL)/prefix/lib' -o '$(TRIAL)/shared' && '$(TRIAL)/shared'; \
	    gcc -std=c11 -D_GNU_SOURCE tests/c/sketch.c $${static/-lknhk/-l:libknhk.a} -o '$(TRIAL)/static' && '$(TRIAL)/static'
	@if command -v cmake >/dev/null; then \
	    cmake -S tests/cmake -B '$(TRIAL)/build' -DCMAKE_PREFIX_PATH='$(TRIAL)/prefix' && cmake --build '$(TRIAL)/build' && \
	    ctest --test-dir '$(TRIAL)/build' --output-on-failure; \
	else echo "cmake is not installed: its project was left out"; fi
