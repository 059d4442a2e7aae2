internal import Glibc
internal import NIOCore

/// The way out of a channel. Bytes go from where they are into the socket, without the channel's list of writes; what the socket does not
/// take is the channel's, and everything behind it until it is gone. The channel's own way costs about 5,000 instructions a write, a
/// tenth of a whole request.
final class Outlet {
    private let channel: any Channel
    /// The channel's socket; `nil` where it has none of its own. Valid while the channel is active: both end in one step.
    private let descriptor: CInt?
    /// Whether the channel may have bytes that the socket has not taken.
    private var isHolding = false

    init(_ channel: any Channel) {
        self.channel = channel
        descriptor = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
    }

    /// Offers the first `count` readable bytes to the socket. Calls nobody back.
    ///
    /// - Returns: how many it took; the rest is for `hold`.
    func offer(_ bytes: borrowing ByteBuffer, _ count: Int) -> Int {
        if isHolding { isHolding = hasWaiting }
        guard !isHolding, let descriptor, channel.isActive else { return 0 }
        let taken = bytes.withUnsafeReadableBytes { bytes in
            Glibc.send(descriptor, bytes.baseAddress, min(count, bytes.count), CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        // Of an error the channel learns by a write of its own, and ends as it does.
        return max(0, taken)
    }

    /// Hands bytes to the channel. It may find its connection gone, and end everything before this returns.
    func hold(_ bytes: ByteBuffer) {
        isHolding = true
        channel.writeAndFlush(bytes, promise: nil)
    }

    /// Writes the whole of a buffer. May end everything, as `hold`.
    func write(_ bytes: ByteBuffer) {
        var rest = bytes
        rest.moveReaderIndex(forwardBy: offer(bytes, bytes.readableBytes))
        if rest.readableBytes > 0 { hold(rest) }
    }

    /// Whether the channel has bytes that the socket has not taken.
    var hasWaiting: Bool { (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 1 > 0 }
}
