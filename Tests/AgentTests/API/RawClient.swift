import Foundation
import Glibc
import Support
import Testing

@testable import Agent

/// A client that can say anything.
final class RawClient {
    private let socket: OwnedDescriptor
    private var descriptor: Int32 { socket.rawValue }

    init(_ path: String) throws {
        socket = try UnixAddress.socket(for: path)
        try SystemError.check("connect to", path) { UnixAddress.with(path) { connect(socket.rawValue, $0, $1) } }
        // A test that waits for ever says nothing.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends everything, which must be little: it waits for the other side.
    func send(_ bytes: [UInt8]) {
        var left = bytes[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            left = left.dropFirst(count)
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends what is taken without waiting; answers how much that was.
    func offer(_ bytes: [UInt8]) -> Int {
        max(0, Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)))
    }

    /// Will send nothing more.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Up to the newline or the end. Waits on a thread of its own, so that it never holds one the agent needs.
    func readLine() async -> [UInt8] {
        let descriptor = descriptor
        defer { withExtendedLifetime(self) {} }
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var line: [UInt8] = []
                var byte: UInt8 = 0
                while recv(descriptor, &byte, 1, 0) == 1, byte != 10 { line.append(byte) }
                continuation.resume(returning: line)
            }
        }
    }

    /// Whether the other side has hung up.
    var isHungUp: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK))
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }
}
