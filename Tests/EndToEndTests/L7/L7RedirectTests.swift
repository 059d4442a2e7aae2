import BPFEmit
import Datapath
import Glibc
import NetTypes
import Testing

/// TCP connections that L7 rules decide go through the proxy's namespace, whoever opens them and whoever has the rules.
@Suite("L7 flows go to the proxy", .enabled(if: L7World.canRun, "needs root, containernetworking-plugins, python3"), .serialized)
struct L7RedirectTests {
    @Test(
        "36 of 36: rules at either end or both, between pods and with the outside, both families, allowed and denied",
        arguments: [EdgeNode.Topology.ptp, .bridge], [AttachmentStyle.automatic, .clsact])
    func matrix(_ topology: EdgeNode.Topology, _ attachment: AttachmentStyle) throws {
        let world = try L7World(topology, attachment, reversePathFilter: attachment == .clsact ? 1 : 2)
        for (number, setting) in L7World.Setting.allCases.enumerated() {
            try world.apply(setting)
            if number == 0 { try world.startRelay() }
            let failures = try world.failures(setting)
            #expect(failures == [])
        }
    }
}
