import BPFEmit
import CLibBPF
import Glibc
import SystemPackage

/// libbpf's reader of one ring buffer map.
final class RingBuffer {
    /// Where the callback puts records: C keeps a pointer to it.
    private final class Sink {
        var receive: ((UnsafeRawBufferPointer) -> Void)?
        /// Records that may still be taken.
        var room = 0
    }

    private let name: String
    private let ring: OpaquePointer
    private let sink: Sink

    /// Opens the ring of a map by its descriptor; errors name the map as `name`.
    init(map fd: Int32, name: String) throws(BPFError) {
        let sink = Sink()
        // The sink outlives the ring: both go with this object, the ring first.
        let context = Unmanaged.passUnretained(sink).toOpaque()
        let ring = try Libbpf.pointer(.readEvents, name) {
            ring_buffer__new(
                fd,
                { context, data, size in
                    guard let context, let data else { return 0 }
                    let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
                    sink.receive?(UnsafeRawBufferPointer(start: data, count: size))
                    sink.room -= 1
                    // Anything negative stops after this record, which counts as read.
                    return sink.room <= 0 ? -ECANCELED : 0
                }, context, nil)
        }
        self.name = name
        self.sink = sink
        self.ring = ring
    }

    deinit { ring_buffer__free(ring) }

    /// Waits until the kernel says there is something, or the time is up.
    func wait(milliseconds: Int32) throws(BPFError) {
        var descriptor = pollfd(fd: ring_buffer__epoll_fd(ring), events: Int16(POLLIN), revents: 0)
        try Libbpf.call(.readEvents, name) { poll(&descriptor, 1, milliseconds) }
    }

    /// Gives `receive` the records that are there, at most `limit`, oldest first. Their bytes are valid during its call only.
    func take(limit: Int, _ receive: (UnsafeRawBufferPointer) -> Void) throws(BPFError) {
        let ring = ring
        let result = withoutActuallyEscaping(receive) { receive in
            sink.receive = receive
            sink.room = limit
            defer { sink.receive = nil }
            return Libbpf.attempt(.readEvents) { ring_buffer__consume(ring) }
        }
        if case .failure(let code) = result, code != .canceled { throw BPFError(.readEvents, name, errno: code) }
    }
}
