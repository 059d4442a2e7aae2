import Foundation
import Glibc
public import Support

/// Reads what the proxy tells of requests that it did not allow, and hands it to the monitors. The proxy never waits: what nobody reads in time is
/// lost, and the next datagram says how much.
public final class DenialReader: Sendable {
    /// The longest datagram that is read; a longer one is cut, and its last line lost.
    private static let longest = 128 << 10
    /// Datagrams taken at once.
    private static let batch = 64
    /// How long a wait takes at most, milliseconds.
    private static let patience: Int32 = 500

    private let socket: OwnedDescriptor
    private let path: String

    /// Takes the path over from an agent before.
    ///
    /// - Throws: when there can be no socket at the path.
    public init(path: String) throws(SystemError) {
        self.path = path
        unlink(path)
        let descriptor = try SystemError.check("open socket", path) {
            Glibc.socket(
                AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        }
        socket = OwnedDescriptor(rawValue: descriptor)
        try SystemError.check("bind", path) { UnixAddress.with(path) { bind(descriptor, $0, $1) } }
        try SystemError.check("set permissions of", path) { chmod(path, 0o600) }
    }

    deinit { unlink(path) }

    /// Works until the task is cancelled.
    func run(_ hub: MonitorHub) async {
        let thread = BlockingThread(name: "netpold-denials", nice: 5)
        while !Task.isCancelled { await thread.run { self.read(hub) } }
    }

    /// Waits for datagrams and takes those that are there. What nobody listens to is taken too: the proxy's queue is not to be full of it.
    private func read(_ hub: MonitorHub) {
        var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, DenialReader.patience) > 0 else { return }
        var room = [UInt8](repeating: 0, count: DenialReader.longest)
        for _ in 0..<DenialReader.batch {
            let count = recv(socket.rawValue, &room, room.count, 0)
            guard count > 0 else { return }
            guard hub.hasMonitors else { continue }
            let (denials, lost) = DenialReader.lines(room[..<count])
            hub.tell(denials, lost: lost)
        }
    }

    private struct Loss: Decodable { var lost: UInt64 }

    /// What a datagram says: lines, and how many were lost. A line that is none is lost.
    static func lines(_ bytes: ArraySlice<UInt8>) -> (denials: [RequestDenial], lost: UInt64) {
        let decoder = JSONDecoder()
        var denials: [RequestDenial] = []
        var lost: UInt64 = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let data = Data(line)
            if let denial = try? decoder.decode(RequestDenial.self, from: data) {
                denials.append(denial)
            } else {
                lost += (try? decoder.decode(Loss.self, from: data))?.lost ?? 1
            }
        }
        return (denials, lost)
    }
}
