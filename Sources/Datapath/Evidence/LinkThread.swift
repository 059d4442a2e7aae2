import Foundation
import Glibc
import Support

/// Watches links and addresses on a thread of its own, for as long as the process lives.
enum LinkThread {
    /// When to look again after an event, milliseconds: an address that is given inside a pod is not announced outside,
    /// and comes right after the veth.
    private static let echoes: [Int32] = [20, 50, 100, 200, 500, 1000]
    /// The shortest time between two looks, microseconds: a pod can make events as fast as it likes.
    private static let pause: UInt32 = 20_000

    /// The monitor on its way to the thread. Unchecked: handed over once, used by that thread only.
    private struct Handover: @unchecked Sendable {
        let monitor: LinkMonitor
    }

    static func start(_ changed: @escaping @Sendable () -> Void) throws(SystemError) {
        let handover = Handover(monitor: try LinkMonitor())
        Thread.detachNewThread {
            let monitor = handover.monitor
            var pending = echoes[...]
            while true {
                var request = pollfd(fd: monitor.descriptor, events: Int16(POLLIN), revents: 0)
                if poll(&request, 1, pending.first ?? -1) > 0 {
                    if monitor.drain() { pending = echoes[...] }
                } else {
                    pending = pending.dropFirst()
                }
                changed()
                usleep(pause)
            }
        }
    }
}
