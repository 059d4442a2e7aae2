import BPFEmit
import CNetpoldABI
import Testing

@testable import Datapath

@Suite("event records")
struct VerdictRecordTests {
    private static func record(_ change: (inout np_event) -> Void = { _ in }) -> np_event {
        var event = np_event()
        event.time = 77
        event.source = np_address(NodeImages.client)
        event.destination = np_address(NodeImages.web)
        event.source_port = UInt16(40_000).bigEndian
        event.destination_port = UInt16(80).bigEndian
        event.protocol = 6
        event.reason = UInt8(NP_REASON_ALLOWED.rawValue)
        event.rule_hit = 9
        change(&event)
        return event
    }

    private static func decode(_ event: np_event) -> VerdictRecord? {
        withUnsafeBytes(of: event) { VerdictRecord($0) }
    }

    @Test("a record is read, ports in host order")
    func reads() throws {
        let event = try #require(Self.decode(Self.record()))
        #expect(event.source == NodeImages.client)
        #expect(event.destination == NodeImages.web)
        #expect((event.sourcePort, event.destinationPort) == (40_000, 80))
        #expect(event.protocol == .tcp)
        #expect(event.decision == .rule)
        #expect(!event.isDrop)
    }

    @Test("numbers that do not exist make it unreadable; unknown reasons do not")
    func unknown() {
        #expect(Self.decode(Self.record { $0.direction = 2 }) == nil)
        #expect(Self.decode(Self.record { $0.decision = 4 }) == nil)
        #expect(Self.decode(Self.record { $0.reason = 63 })?.isDrop == true)
        #expect(Self.decode(Self.record { $0.reason = 31 })?.isDrop == false)
    }

    @Test("a record cut at any byte is refused, and so is a longer one")
    func truncated() {
        let bytes = withUnsafeBytes(of: Self.record()) { Array($0) }
        for length in 0..<bytes.count {
            #expect(bytes[..<length].withUnsafeBytes { VerdictRecord($0) } == nil)
        }
        #expect((bytes + [0]).withUnsafeBytes { VerdictRecord($0) } == nil)
    }

    @Test("a decision is only told where a policy was asked")
    func decision() {
        #expect(
            Self.decode(
                Self.record {
                    $0.reason = UInt8(NP_DROP_TRUNCATED.rawValue)
                    $0.rule_hit = 0
                })?.decision == nil)
        #expect(
            Self.decode(
                Self.record {
                    $0.reason = UInt8(NP_DROP_POLICY_DEFAULT.rawValue)
                    $0.decision = 1
                    $0.rule_hit = 0
                })?.decision == .defaultDeny)
    }
}
