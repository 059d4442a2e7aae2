import BPFEmit
import CLibBPF
import Glibc
import SystemPackage

/// libbpf's reader of one ring buffer map.
final class RingBuffer {
    /// Where the callback puts records: C keeps a pointer to it.
    private final class Sink {
        var events: [VerdictRecord] = []
        var unreadable = 0
        var limit = 0
    }

    private let name: String
    private let ring: OpaquePointer
    private let sink: Sink

    init(_ map: BPFMap) throws(BPFError) {
        let sink = Sink()
        // The sink outlives the ring: both go with this object, the ring first.
        let context = Unmanaged.passUnretained(sink).toOpaque()
        let ring = try Libbpf.pointer(.readEvents, map.name) {
            ring_buffer__new(
                map.fd,
                { context, data, size in
                    guard let context, let data else { return 0 }
                    let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
                    if let event = VerdictRecord(UnsafeRawBufferPointer(start: data, count: size)) {
                        sink.events.append(event)
                    } else {
                        sink.unreadable += 1
                    }
                    // Anything negative stops after this record, which counts as read.
                    return sink.events.count + sink.unreadable >= sink.limit ? -ECANCELED : 0
                }, context, nil)
        }
        self.name = map.name
        self.sink = sink
        self.ring = ring
    }

    deinit { ring_buffer__free(ring) }

    /// Waits until the kernel says there is something, or the time is up.
    func wait(milliseconds: Int32) throws(BPFError) {
        var descriptor = pollfd(fd: ring_buffer__epoll_fd(ring), events: Int16(POLLIN), revents: 0)
        try Libbpf.call(.readEvents, name) { poll(&descriptor, 1, milliseconds) }
    }

    /// Takes what is there, at most `limit` records, oldest first.
    ///
    /// - Returns: the records, and the number of those that could not be read.
    func take(limit: Int) throws(BPFError) -> (events: [VerdictRecord], unreadable: Int) {
        sink.events = []
        sink.unreadable = 0
        sink.limit = limit
        let ring = ring
        if case .failure(let code) = Libbpf.attempt(.readEvents, { ring_buffer__consume(ring) }),
            code != .canceled
        {
            throw BPFError(.readEvents, name, errno: code)
        }
        return (sink.events, sink.unreadable)
    }
}
