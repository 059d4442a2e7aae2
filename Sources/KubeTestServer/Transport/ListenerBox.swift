import NIOCore
import Synchronization

/// A channel that may be gone.
final class ListenerBox: Sendable {
    private let channel: Mutex<(any Channel)?>

    init(_ channel: any Channel) { self.channel = Mutex(channel) }

    /// The channel, which is gone from here on.
    func take() -> (any Channel)? {
        channel.withLock { channel in
            defer { channel = nil }
            return channel
        }
    }

    func put(_ new: any Channel) { channel.withLock { $0 = new } }
}
