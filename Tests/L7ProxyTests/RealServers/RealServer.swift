import Foundation
import Glibc
import NIOCore

/// A server of another make, which writes a line for each request that it reads: the client's address, method and target.
final class RealServer: Sendable {
    enum Make: String, CaseIterable, Sendable {
        case nginx, haproxy, gunicorn

        var program: String {
            switch self {
            case .nginx, .haproxy: "/usr/sbin/\(rawValue)"
            case .gunicorn: "/usr/bin/gunicorn"
            }
        }
    }

    /// Whether the tests' packages are installed.
    static let arePresent = Make.allCases.allSatisfy { access($0.program, X_OK) == 0 }

    let make: Make
    let port: Int
    private let folder: String
    private let process = Process()

    struct Broken: Error {
        let words: String
    }

    init(_ make: Make) throws {
        self.make = make
        port = try RealServer.freePort()
        folder = "\(NSTemporaryDirectory())/netpold-\(make)-\(getpid())-\(port)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        process.executableURL = URL(fileURLWithPath: make.program)
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        let seen = "\(folder)/seen"
        _ = FileManager.default.createFile(atPath: seen, contents: nil)
        let output = FileHandle(forWritingAtPath: seen)
        process.standardOutput = make == .haproxy ? output : FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        switch make {
        case .nginx:
            try write("nginx.conf", nginx)
            process.arguments = ["-p", folder, "-c", "\(folder)/nginx.conf"]
        case .haproxy:
            try write("haproxy.cfg", haproxy)
            process.arguments = ["-db", "-f", "\(folder)/haproxy.cfg"]
        case .gunicorn:
            try write("app.py", application)
            process.arguments = [
                "-k", "gthread", "--threads", "8", "--keep-alive", "30", "-b", "127.0.0.1:\(port)", "--chdir", folder,
                "--limit-request-line", "0", "--limit-request-field_size", "0", "--limit-request-fields", "1000",
                "app:app",
            ]
        }
        try process.run()
        for _ in 0..<400 {
            if (try? BlockingClient(port: port)) != nil { return }
            usleep(25_000)
        }
        throw Broken(words: "\(make) does not listen")
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var address: SocketAddress {
        get throws { try SocketAddress(ipAddress: "127.0.0.1", port: port) }
    }

    /// Ends the server.
    ///
    /// - Returns: what it read, by client address: `GET /a`, in order.
    func stop() throws -> [String: [String]] {
        kill(process.processIdentifier, make == .haproxy ? SIGUSR1 : SIGTERM)
        for _ in 0..<40 where process.isRunning { usleep(50_000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/seen"))
        var result: [String: [String]] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts[0].hasPrefix("127.") else { continue }
            result[parts[0], default: []].append(parts[1])
        }
        return result
    }

    private func write(_ name: String, _ text: String) throws {
        // haproxy refuses a file whose last line has no end.
        try "\(text)\n".write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                bind(descriptor, target, size) + getsockname(descriptor, target, &size)
            }
        }
        guard code == 0 else { throw Broken(words: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    // As lenient as each can be made: what one of them reads otherwise than the proxy must show.

    private var nginx: String {
        """
        daemon off; pid nginx.pid; error_log nginx.err; worker_processes 1; user root;
        events { worker_connections 2048; }
        http {
          log_format seen '$remote_addr $request_method $request_uri';
          access_log \(folder)/seen seen;
          client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
          scgi_temp_path scgi;
          merge_slashes off; underscores_in_headers on; ignore_invalid_headers off;
          large_client_header_buffers 8 64k; client_max_body_size 0; keepalive_timeout 30;
          server { listen 127.0.0.1:\(port); location / { return 200 ok; } }
        }
        """
    }

    private var haproxy: String {
        """
        global
          log stdout format raw local0
        defaults
          mode http
          timeout connect 5s
          timeout client 30s
          timeout server 5s
          option accept-invalid-http-request
        frontend f
          bind 127.0.0.1:\(port)
          log global
          log-format "%ci %HM %HU"
          http-request wait-for-body time 1s
          http-request return status 200 content-type text/plain string ok
        """
    }

    private var application: String {
        """
        import os
        seen = os.open("\(folder)/seen", os.O_WRONLY | os.O_APPEND)
        def app(environ, start_response):
            os.write(seen, ("%s %s %s\\n" % (environ["REMOTE_ADDR"], environ["REQUEST_METHOD"], environ["RAW_URI"])).encode())
            environ["wsgi.input"].read()
            start_response("200 OK", [("Content-Length", "2")])
            return [b"ok"]
        """
    }
}
