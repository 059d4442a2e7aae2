internal import Dispatch
internal import Glibc
internal import Synchronization

/// Tells the agent of requests that were not allowed, for its monitors: lines of the access log, as JSON, in datagrams to a socket of the
/// agent's. On a thread of its own, without waiting: an agent that is gone or slow costs lines, which are counted, and nothing else.
public final class DenialFeed: Sendable {
    /// The most bytes that wait to be sent.
    public static let capacity = 256 << 10
    /// The most bytes of a datagram, unless one line has more.
    public static let datagram = 16 << 10

    private struct State {
        var waiting: [UInt8] = []
        var isSending = false
        var lost: UInt64 = 0
    }

    private let state = Mutex(State())
    private let path: String
    private let descriptor: CInt
    private let queue = DispatchQueue(label: "netpold.denials")

    /// A feed of the socket at a path, which need not be there yet.
    public init(path: String) {
        self.path = path
        descriptor = socket(
            AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Adds whole lines, and how many there are that nobody has made lines of.
    func add(_ lines: [UInt8], count: Int, lost: Int) {
        let begins = state.withLock { state in
            state.lost += UInt64(lost)
            guard state.waiting.count + lines.count <= DenialFeed.capacity else {
                state.lost += UInt64(count)
                return false
            }
            state.waiting += lines
            defer { state.isSending = true }
            return !state.isSending
        }
        if begins { queue.async { self.send() } }
    }

    /// Waits until what was added before is sent.
    public func flush() { queue.sync { send() } }

    private func send() {
        while true {
            let (lines, lost) = state.withLock { state in
                let taken = (state.waiting, state.lost)
                state.waiting = []
                state.lost = 0
                if taken.0.isEmpty { state.isSending = false }
                return taken
            }
            let left = sendAll(lines, lost: lost)
            if left > 0 { state.withLock { $0.lost += left } }
            if lines.isEmpty { return }
        }
    }

    /// Sends lines in datagrams of whole ones, the first with what was lost; answers how many are lost now.
    private func sendAll(_ lines: [UInt8], lost: UInt64) -> UInt64 {
        var lost = lost
        var start = 0
        repeat {
            let end = DenialFeed.end(of: lines, from: start)
            let count = lines[start..<end].count { $0 == UInt8(ascii: "\n") }
            guard count > 0 || lost > 0 else { return 0 }
            let notice = lost > 0 ? Array("{\"lost\":\(lost)}\n".utf8) : []
            switch deliver(notice + lines[start..<end]) {
            case .sent: lost = 0
            case .nobody: lost = 0
            case .full: lost += UInt64(count)
            }
            start = end
        } while start < lines.count
        return lost
    }

    /// The end of as many whole lines as a datagram holds, at least of one.
    private static func end(of lines: [UInt8], from start: Int) -> Int {
        let most = min(start + datagram, lines.count)
        if most == lines.count { return most }
        if let last = lines[start..<most].lastIndex(of: UInt8(ascii: "\n")) { return last + 1 }
        return (lines[most...].firstIndex(of: UInt8(ascii: "\n")) ?? lines.count - 1) + 1
    }

    private enum Delivery {
        case sent
        /// There is no agent: nobody misses anything.
        case nobody
        case full
    }

    private func deliver(_ bytes: [UInt8]) -> Delivery {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path) - 1
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(room)) }
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, bytes, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL), $0,
                    socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if sent == bytes.count { return .sent }
        return errno == ENOENT || errno == ECONNREFUSED ? .nobody : .full
    }
}
