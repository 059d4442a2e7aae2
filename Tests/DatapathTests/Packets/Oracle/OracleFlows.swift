import NetTypes

/// A pod's flow, whichever way its packets go.
struct OracleFlow: Hashable {
    /// One end of an exchange.
    struct End: Hashable {
        var address: IPAddress
        var port: UInt16
    }

    var pod: PacketWorld.Pod
    var own: End
    var remote: End
    var `protocol`: UInt8

    /// The flow of a packet that leaves the pod (`egress`) or comes to it.
    init(_ packet: OraclePacket, _ travel: Direction, of pod: PacketWorld.Pod) {
        let source = End(address: packet.source, port: packet.sourcePort)
        let destination = End(address: packet.destination, port: packet.destinationPort)
        self.pod = pod
        own = travel == .egress ? source : destination
        remote = travel == .egress ? destination : source
        `protocol` = packet.protocol
    }
}

/// What a pod remembers of a flow.
struct OracleEntry {
    /// The policy that admitted it: `egress` if the pod opened it.
    var admittedBy: Direction
    var revision: Int
    /// How the latest packets of the other end came in.
    var arrival: UInt32?
    private var finished: Set<Direction> = []

    init(admittedBy: Direction, revision: Int, arrival: UInt32?) {
        self.admittedBy = admittedBy
        self.revision = revision
        self.arrival = arrival
    }

    /// Whether both ends have closed. (Time does not pass for an oracle.)
    var isOver: Bool { finished.count == 2 }

    /// Takes notice of a packet that passes.
    mutating func see(_ packet: OraclePacket, _ travel: Direction) {
        if !packet.hasConnection || packet.hasRST { return }
        if packet.asks { finished = [] } else if packet.hasFIN { finished.insert(travel) }
    }

    /// Whether a packet may belong to the flow: nothing new starts against it, and no ICMP answer goes along it.
    func owns(_ packet: OraclePacket, _ travel: Direction) -> Bool {
        admittedBy == travel ? packet.kind != .icmpAnswer : !packet.asks
    }
}
