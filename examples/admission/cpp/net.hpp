// Sockets that close themselves, lines, and the traffic.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace admission {

class socket_handle {
  public:
    explicit socket_handle(int fd) : fd_(fd) {
        if (fd < 0)
            throw std::system_error(errno, std::generic_category(), "socket");
        timeval patience{5, 0};
        int one = 1;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    socket_handle(socket_handle &&other) noexcept
        : fd_(std::exchange(other.fd_, -1)), text_(std::move(other.text_)), at_(other.at_) {}
    ~socket_handle() {
        if (fd_ >= 0)
            close(fd_);
    }

    static socket_handle listen(std::uint16_t &port) {
        socket_handle made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in at = loopback(port);
        socklen_t len = sizeof at;
        if (bind(made.fd_, reinterpret_cast<sockaddr *>(&at), len) || ::listen(made.fd_, 64) ||
            getsockname(made.fd_, reinterpret_cast<sockaddr *>(&at), &len))
            throw std::system_error(errno, std::generic_category(), "listen");
        port = ntohs(at.sin_port);
        return made;
    }

    static socket_handle connect(std::uint16_t port) {
        socket_handle made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in at = loopback(port);
        if (::connect(made.fd_, reinterpret_cast<sockaddr *>(&at), sizeof at))
            throw std::system_error(errno, std::generic_category(), "connect");
        return made;
    }

    socket_handle accept() const { return socket_handle(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)); }

    bool send(std::string_view text) const {
        while (!text.empty()) {
            ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (n <= 0)
                return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    // The next line without its newline, valid until the next call; false at the end, or for a line of more than 79 characters.
    bool line(std::string_view &out) {
        for (;;) {
            std::size_t end = text_.find('\n', at_);
            if (end != std::string::npos) {
                out = std::string_view(text_).substr(at_, end - at_);
                at_ = end + 1;
                return out.size() < 80;
            }
            if (text_.size() - at_ >= 80)
                return false;
            text_.erase(0, std::exchange(at_, 0));
            char more[4096];
            ssize_t n = recv(fd_, more, sizeof more, 0);
            if (n <= 0)
                return false;
            text_.append(more, static_cast<std::size_t>(n));
        }
    }

    // Whether another whole line is here already.
    bool pending() const { return text_.find('\n', at_) != std::string::npos; }

  private:
    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return at;
    }

    int fd_;
    std::string text_;
    std::size_t at_ = 0;
};

// Takes the next word of a line; empty when there is none.
inline std::string_view word(std::string_view &line) {
    std::size_t end = line.find(' ');
    std::string_view taken = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return taken;
}

template <class Number>
bool number(std::string_view text, Number &out) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && out <= (Number{1} << 39);
}

}  // namespace admission
