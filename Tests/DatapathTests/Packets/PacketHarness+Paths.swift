import CNetpoldABI
import NetTypes

@testable import Datapath

/// Flows between the two pods that go past the stack.
extension PacketHarness {
    /// The interface that test runs happen at, which both pods have here: packets leave by it, and it is there.
    static let link = PacketWorld.own

    /// No such flow; the frames of both pods are known.
    func resetPaths() throws {
        try map("np_paths").set((0..<UInt32(NP_PATH_SETS)).map { (key: $0, value: np_path_set()) })
        for pod in Pod.allCases {
            try map("np_path_ends").set(
                pod.rawValue,
                np_path_end(pod: (2, 0, 0, 0, 0, UInt8(pod.rawValue)), host: (2, 1, 0, 0, 0, 1), ifindex: Self.link))
        }
    }

    /// Writes down that the flow of a packet from one pod to the other goes past the stack, or that it does not.
    func setPath(_ packet: OraclePacket, from pod: Pod, isFast: Bool) throws {
        var seed = try map("np_flow_seed").value(of: UInt32(0), initial: np_flow_seed()) ?? np_flow_seed()
        var (source, destination) = (np_address(packet.source), np_address(packet.destination))
        let hash = np_path_hash(
            &seed, &source, packet.sourcePort.bigEndian, &destination, packet.destinationPort.bigEndian,
            packet.protocol)
        let other: Pod = pod == .a ? .b : .a
        let word =
            (hash >> UInt64(NP_PATH_TAG_AT)) << UInt64(NP_PATH_TAG_AT)
            | UInt64(other.rawValue) << UInt64(NP_PATH_ASKER_AT) | UInt64(pod.rawValue) << UInt64(NP_PATH_OTHER_AT)
            | UInt64(NP_PATH_FAST)
        var set = np_path_set()
        set.path.3 = isFast ? word : 0
        try map("np_paths").set(UInt32(truncatingIfNeeded: hash) & UInt32(NP_PATH_SETS - 1), set)
    }

    /// Sends a packet from one pod to the other whose flow goes past the stack; what the hook returned, what it was
    /// counted under, and the frame as it left.
    func cross(
        _ frame: [UInt8], from pod: Pod
    ) throws -> (returned: Int32, reasons: [UInt32], frame: [UInt8]) {
        let before = try readReasons()
        let (returned, left) = try outcome(frame, .egress, of: pod)
        let after = try readReasons()
        try recount()
        let reasons = after.indices.flatMap { [UInt32](repeating: UInt32($0), count: Int(after[$0] - before[$0])) }
        return (returned, reasons, left)
    }
}
