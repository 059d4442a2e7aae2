import Foundation
import PolicyAPI

/// Rows that no manifest and flow can show: the test that shows them, or why they are not this project's.
enum ElsewhereRows {
    /// How a row is covered.
    enum Place: Sendable {
        /// Tests of this name in this file of `Tests`.
        case tests(_ file: String, _ names: [String])
        /// No test: the reason.
        case none(_ why: String)

        /// The tests that are not there, in the folder `Tests`.
        func missing(under folder: URL) throws -> [String] {
            guard case .tests(let file, let names) = self else { return [] }
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            return names.filter { !text.contains("\"\($0)\"") }
        }
    }

    static let all: [(row: SpecRow, place: Place)] = cilium + networkPolicy

    private static let cilium: [(row: SpecRow, place: Place)] = [
        (
            .edge(19),
            .tests(
                "PolicyIRTests/Lowering/CiliumScopeTests.swift",
                ["a clusterwide rule whose subject is reserved:init leaves its peers without namespace"])
        ),
        (.edge(51), .none("how Cilium spells a prefix in a label; netpold's peers hold the prefix itself")),
        (
            .edge(54),
            .none("policy-cidr-match-mode=nodes is a flag of Cilium's agent; netpold has its default only (row 53)")
        ),
        (
            .edge(99),
            .none("which code denies a query is the kernel's (DatapathTests/Names/DNSQueryTests); tests give the names")
        ),
        (
            .edge(100),
            .none(
                "learning addresses from answers is the kernel's (DatapathTests/Names/DNSAnswerTests); tests give the names"
            )
        ),
        (.edge(101), .none("minimum TTL is the kernel's (DatapathTests/Names/DNSAnswerTests)")),
        (.edge(102), .none("the limit of addresses of a name is the kernel's (DatapathTests/Names/DNSAnswerTests)")),
        (.edge(103), .none("expiry against live connections is the kernel's (DatapathTests/Names/DNSAnswerTests)")),
        (.edge(104), .none("expiry against live connections is the kernel's (DatapathTests/Names/DNSAnswerTests)")),
        (.edge(105), .none("expiry against live connections is the kernel's (DatapathTests/Names/DNSAnswerTests)")),
        (
            .edge(107),
            .none("addresses that come and go are the kernel's; a policy is compiled from those that are there")
        ),
        (
            .edge(128),
            .none("merging filters is a step of Cilium's engine; netpold's rules are bits that are never merged")
        ),
        (
            .edge(130),
            .tests(
                "PolicyIRTests/EdgeCases/PortlessProtocolTests.swift",
                ["row 130: a protocol without ports is allowed without a port, or with port 0, and as a whole"])
        ),
        (
            .edge(137),
            .tests(
                "DatapathTests/Packets/RevisionTests.swift",
                ["a revocation cuts both directions at the next packet, and allowing again resumes"])
        ),
        (
            .edge(138),
            .tests(
                "DatapathTests/Packets/FlowTests.swift",
                ["a connection is allowed once, then established, and its answers pass"])
        ),
    ]

    private static let networkPolicy: [(row: SpecRow, place: Place)] = [
        (
            .grey("Reply packets"),
            .tests(
                "DatapathTests/Packets/FlowTests.swift",
                [
                    "a connection is allowed once, then established, and its answers pass",
                    "a SYN from the answering side is a new connection, not an answer",
                ])
        ),
        (
            .grey("Related ICMP"),
            .tests(
                "DatapathTests/Packets/ICMPErrorTests.swift",
                [
                    "from a router that no policy names, an error about a known flow passes",
                    "forged embedded packets do not pass",
                ])
        ),
        (
            .grey("ARP, non-IP, other L4 protocols"),
            .tests(
                "DatapathTests/Packets/NeighbourTests.swift",
                [
                    "what a pod may say by ARP: requests, answers, probes and announcements of its own address, from its own frame",
                    "what reaches a pod by ARP: what is about its address, and announcements of those who may make them",
                ])
        ),
        (
            .grey("IP fragments"),
            .tests(
                "DatapathTests/Packets/FragmentTests.swift",
                [
                    "later fragments share the fate of the first",
                    "without its first fragment seen before, a later one is dropped",
                ])
        ),
        (
            .grey("IPv4 options, extension headers"),
            .tests(
                "DatapathTests/Packets/ParsingTests.swift",
                ["options do not hide the port"])
        ),
        (
            .grey("Pod to service VIP to itself"),
            .none("services are not translated by netpold yet; policies are asked behind the translation")
        ),
        (
            .grey("Service VIP"),
            .none("services are not translated by netpold yet; policies are asked behind the translation")
        ),
        (.grey("NodePort, LB source IP"), .none("services are not translated by netpold yet")),
        (
            .grey("Existing connections on change"),
            .tests(
                "DatapathTests/Packets/RevisionTests.swift",
                [
                    "an unchanged answer lets the flow go on, asked once",
                    "a revocation cuts both directions at the next packet, and allowing again resumes",
                ])
        ),
        (
            .grey("New pod"),
            .tests(
                "DatapathTests/Packets/VerdictTests.swift",
                ["an endpoint that is not ready passes nothing, not even ARP"])
        ),
        (
            .grey("New policy on running pod"),
            .tests(
                "AgentTests/AgentServiceTests.swift",
                ["wait answers after a change written before it is in force"])
        ),
        (
            .grey("Pod IP reuse, same-name pod"),
            .tests(
                "DatapathTests/Node/PersistenceTests.swift",
                ["a flow of a pod that is gone admits nothing for its successor at the same address"])
        ),
        (
            .grey("UDP connection"),
            .tests(
                "DatapathTests/Observe/ObserveTests.swift",
                ["silent flows are forgotten by protocol and state; live ones never"])
        ),
        (
            .grey("Namespace deletion, relabel, pod relabel"),
            .tests(
                "AgentTests/AgentStateTests.swift",
                ["every order and repetition of the same inputs gives the same desired state"])
        ),
    ]
}
