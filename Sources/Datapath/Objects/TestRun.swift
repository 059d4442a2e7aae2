import CLibBPF

/// One `BPF_PROG_TEST_RUN`: a program, a packet, and the outcome. Nothing is attached, no interface is needed.
public struct TestRun: Sendable {
    /// The frame, from its Ethernet header on; at least 14 bytes.
    public var frame: [UInt8]
    /// `skb->cb`, before.
    public var cb: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)
    /// `skb->mark`, before.
    public var mark: UInt32 = 0
    /// `skb->ifindex`; 0: the loopback's.
    public var ifindex: UInt32 = 0
    /// `skb->ingress_ifindex`: the interface by which the packet came in; 0: it was generated here.
    public var ingressIfindex: UInt32 = 0
    /// Bytes of each datagram or segment that the packet will be cut into; 0: it will not.
    public var segmentBytes: UInt32 = 0
    /// How often the program runs; the result is the last run's, the duration the mean.
    public var repetitions = 1

    /// Bytes that a program may add to a frame.
    private static let growth = 256

    /// A run on a frame.
    public init(frame: [UInt8]) { self.frame = frame }

    /// The outcome.
    public struct Result: Sendable {
        /// What the program returned (`TC_ACT_*`).
        public var returned: Int32
        /// The frame, as the program left it.
        public var frame: [UInt8]
        /// `skb->cb`, after.
        public var cb: (UInt32, UInt32, UInt32, UInt32, UInt32)
        /// `skb->mark`, after.
        public var mark: UInt32
        /// Nanoseconds a run, the mean.
        public var nanoseconds: Int
    }

    /// Runs a program on the frame.
    ///
    /// - Throws: `EINVAL` for a frame shorter than its Ethernet header, or one the kernel does not take.
    public func run(_ program: BPFProgram) throws(BPFError) -> Result {
        var context = __sk_buff()
        context.cb = cb
        context.mark = mark
        context.gso_size = segmentBytes
        context.gso_segs = segmentBytes == 0 ? 0 : 2
        context.ifindex = ifindex
        context.ingress_ifindex = ingressIfindex
        var contextOut = __sk_buff()
        // The kernel refuses to write less than the frame, which an answer that a packet becomes may have outgrown.
        let room = frame.count + Self.growth
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 8)
        defer { output.deallocate() }
        var options = bpf_test_run_opts()
        options.data_size_in = UInt32(frame.count)
        options.data_out = output.baseAddress
        options.data_size_out = UInt32(room)
        options.ctx_size_in = UInt32(MemoryLayout<__sk_buff>.size)
        options.ctx_size_out = UInt32(MemoryLayout<__sk_buff>.size)
        options.repeat = Int32(repetitions)
        try frame.withUnsafeBufferPointer { input throws(BPFError) in
            try withUnsafePointer(to: &context) { contextIn throws(BPFError) in
                try withUnsafeMutablePointer(to: &contextOut) { contextOut throws(BPFError) in
                    options.data_in = UnsafeRawPointer(input.baseAddress)
                    options.ctx_in = UnsafeRawPointer(contextIn)
                    options.ctx_out = UnsafeMutableRawPointer(contextOut)
                    try Libbpf.testRun(program.fd, program.name, &options)
                }
            }
        }
        return Result(
            returned: Int32(bitPattern: options.retval),
            frame: Array(output.prefix(Int(min(options.data_size_out, UInt32(room))))), cb: contextOut.cb,
            mark: contextOut.mark, nanoseconds: Int(options.duration))
    }
}
