import Datapath
import Foundation
import Glibc
import NetTypes
import Support
import Synchronization

/// Datagrams that a policy denies, to another port each time, at a rate.
final class DeniedFlood: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let ended = DispatchSemaphore(value: 0)

    /// Begins to send, from the client of the rig, `rate` datagrams a second.
    init(_ rig: AgentBenchRig, rate: Int) throws {
        guard let namespace = rig.routed.pods["client"] else { throw SystemError("find namespace", "client", nil) }
        let descriptor = try namespace.run {
            try SystemError.check("open socket", "flood") { socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
        }
        Thread.detachNewThread { [self] in
            let clock = ContinuousClock()
            let start = clock.now
            var sent = 0
            while !isStopped.load(ordering: .relaxed) {
                // As many as are due: a sender that was held up catches up.
                let due = Int((clock.now - start) / .seconds(1) * Double(rate))
                while sent < due {
                    DeniedFlood.send(descriptor, port: UInt16(1024 + sent % 60_000))
                    sent += 1
                }
                usleep(500)
            }
            close(descriptor)
            ended.signal()
        }
    }

    /// Ends it.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        ended.wait()
    }

    private static func send(_ descriptor: Int32, port: UInt16) {
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = (AgentBenchRig.server.ipv4 ?? 0).bigEndian
        var byte: UInt8 = 0
        _ = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, &byte, 1, Int32(MSG_DONTWAIT), $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
