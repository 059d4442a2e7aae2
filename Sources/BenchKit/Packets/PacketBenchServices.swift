import BPFEmit
import CNetpoldABI
import Datapath
import NetTypes
import PolicyIR

/// The Services that the packet bench sends to: port 80 of an address with one backend, port 81 with many. All backends are ends
/// that the pod's policies allow.
enum PacketBenchServices {
    /// Behind the second one.
    static let backends = 1_000
    /// Flows to it: a power of two.
    static let flows = 1_024
    static let address = IPAddress(ipv4: 0x0a60_0001)
    static let onePort: UInt16 = 80
    static let manyPort: UInt16 = 81
    private static let firstBackend: UInt32 = 0x0a81_0000

    /// Entries of np_addresses: the frontend, and the backends as pods of other nodes, each with the identity of an even end.
    static var addresses: [(address: IPAddress, identity: UInt32)] {
        let frontend = ReservedIdentity.worldIPv4.rawValue | UInt32(NP_IDENTITY_FRONTEND)
        return [(address, frontend)]
            + (0...UInt32(backends)).map { number in
                let identity = PacketBenchPolicy.firstIdentity + 2 * number
                return (
                    IPAddress(ipv4: firstBackend + number),
                    identity | UInt32(NP_IDENTITY_BACKEND) | UInt32(NP_IDENTITY_ELSEWHERE)
                )
            }
    }

    /// What the agent would write for them.
    static var change: ServiceTables.Change {
        var tables = ServiceTables()
        return tables.change(to: [frontend(onePort, 0..<1), frontend(manyPort, 1..<UInt32(backends) + 1)], now: 0)
    }

    private static func frontend(_ port: UInt16, _ numbers: Range<UInt32>) -> ServiceFrontend {
        ServiceFrontend(
            address: address, port: port, protocol: .tcp, kind: .clusterIP,
            service: ServiceName(namespace: "bench", name: "service-\(port)"),
            backends: numbers.map {
                ServiceBackend(address: IPAddress(ipv4: firstBackend + $0), port: PacketBenchPolicy.port)
            })
    }
}
