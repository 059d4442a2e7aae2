import CLinux
import Glibc
public import Support

/// An epoll loop for one thread: descriptors and what to do when they are ready.
public final class EventLoop {
    private let descriptor: OwnedDescriptor
    private var handlers: [Int32: (UInt32) -> Void] = [:]
    private var ready = [epoll_event](repeating: epoll_event(), count: 256)

    /// A loop without descriptors.
    public init() throws(SystemError) {
        descriptor = OwnedDescriptor(
            rawValue: try SystemError.check("open", "epoll") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    }

    /// What a descriptor can be watched for.
    package enum Interest {
        case readable
        case writable

        var mask: UInt32 {
            switch self {
            case .readable: EPOLLIN.rawValue
            case .writable: EPOLLOUT.rawValue
            }
        }
    }

    /// Watches a descriptor, or changes what it is watched for. The handler gets the epoll event mask.
    package func watch(_ socket: Int32, for interest: Interest, _ handler: @escaping (UInt32) -> Void)
        throws(SystemError)
    {
        var event = epoll_event()
        event.events = interest.mask
        event.data.fd = socket
        let operation = handlers[socket] == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        try SystemError.check("watch", "socket") { epoll_ctl(descriptor.rawValue, operation, socket, &event) }
        handlers[socket] = handler
    }

    /// Stops watching. Call before closing the descriptor.
    func forget(_ socket: Int32) {
        guard handlers.removeValue(forKey: socket) != nil else { return }
        var event = epoll_event()
        _ = epoll_ctl(descriptor.rawValue, EPOLL_CTL_DEL, socket, &event)
    }

    /// Waits at most so many milliseconds and runs the handlers of what is ready.
    ///
    /// - Returns: whether anything was.
    @discardableResult
    public func turn(atMost milliseconds: Int32) -> Bool {
        let count = epoll_wait(descriptor.rawValue, &ready, Int32(ready.count), milliseconds)
        guard count > 0 else { return false }
        for event in ready.prefix(Int(count)) {
            // A handler before this one may have let the descriptor go.
            handlers[event.data.fd]?(event.events)
        }
        return true
    }
}
