import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI

/// The conformance tests of network-policy-api, as docs/spec/network-policy.md 3.4 lists them. Mutations are cumulative inside a test.
@Suite("upstream's ClusterNetworkPolicy conformance")
struct UpstreamClusterPolicyTests {
    /// One per-protocol test: whose policy, towards whom, and the ports of its port rules.
    struct Case: CustomTestStringConvertible {
        var direction: Direction
        var proto: String
        var subject: String
        var accepted: String
        var third: String
        /// The port denied to slytherin.
        var denied: Int
        /// The port accepted of the third house.
        var opened: Int
        var ports: [Int]

        var testDescription: String { "\(direction) \(proto)" }

        /// A probe between the subject and a house, as the direction goes.
        func probe(_ house: String, _ ports: [(Int, Bool)]) -> String {
            let ends = direction == .egress ? "\(subject)->\(house)" : "\(house)->\(subject)"
            return ends + ports.map { " \(proto)\($0.0)\($0.1 ? "+" : "-")" }.joined()
        }

        func rule(_ action: String, _ house: String, _ port: Int? = nil) -> String {
            let peers = direction == .egress ? "to" : "from"
            let ports = port.map { ", protocols: [{\(proto): {destinationPort: {number: \($0)}}}]" } ?? ""
            return "{action: \(action), \(peers): [{\(houseSelection(house))}]\(ports)}"
        }
    }

    static let cases = [
        Case(
            direction: .egress, proto: "tcp", subject: "gry", accepted: "rav", third: "huf", denied: 80, opened: 8080,
            ports: [80, 8080]),
        Case(
            direction: .egress, proto: "udp", subject: "huf", accepted: "rav", third: "gry", denied: 5353, opened: 53,
            ports: [53, 5353]),
        Case(
            direction: .egress, proto: "sctp", subject: "rav", accepted: "gry", third: "huf", denied: 9003,
            opened: 9003,
            ports: [9003, 9005]),
        Case(
            direction: .ingress, proto: "tcp", subject: "gry", accepted: "rav", third: "huf", denied: 80, opened: 80,
            ports: [80, 8080]),
        Case(
            direction: .ingress, proto: "udp", subject: "huf", accepted: "rav", third: "gry", denied: 5353, opened: 53,
            ports: [53, 5353]),
        Case(
            direction: .ingress, proto: "sctp", subject: "rav", accepted: "gry", third: "huf", denied: 9003,
            opened: 9003,
            ports: [9003, 9005]),
    ]

    @Test("one protocol: order, then ports, for Accept, Deny and Pass", arguments: [Tier.admin, .baseline], cases)
    func oneProtocol(_ tier: Tier, _ test: Case) throws {
        // "Baseline manifests lack the Pass rows."
        let isAdmin = tier == .admin
        var rules = [test.rule("Accept", test.accepted), test.rule("Deny", test.accepted)]
        if isAdmin { rules.append(test.rule("Pass", test.accepted)) }
        let denied = rules.count
        rules.append(test.rule("Deny", "sly", test.denied))
        if isAdmin { rules.append(test.rule("Pass", "sly", test.denied)) }
        rules += [test.rule("Accept", test.third, test.opened), test.rule("Deny", test.third)]

        var world = Houses()
        func apply() throws {
            let member = test.direction == .egress ? "egress" : "ingress"
            try world.apply(
                clusterPolicy(
                    tier == .admin ? "admin" : "baseline", tier, subject: houseSelection(test.subject),
                    "\(member): [\(rules.joined(separator: ", "))]"))
        }
        try apply()
        #expect(try world.wrong(test.probe(test.accepted, test.ports.map { ($0, true) })) == [])
        #expect(try world.wrong(test.probe(test.third, test.ports.map { ($0, $0 == test.opened) })) == [])

        rules.swapAt(0, 1)
        try apply()
        #expect(try world.wrong(test.probe(test.accepted, test.ports.map { ($0, false) })) == [])
        #expect(try world.wrong(test.probe("sly", test.ports.map { ($0, $0 != test.denied) })) == [])

        guard isAdmin else { return }
        rules.swapAt(0, 2)
        rules.swapAt(denied, denied + 1)
        try apply()
        #expect(try world.wrong(test.probe(test.accepted, test.ports.map { ($0, true) })) == [])
        #expect(try world.wrong(test.probe("sly", test.ports.map { ($0, true) })) == [])
    }

    @Test("both directions and all protocols in one policy", arguments: [Tier.admin, .baseline])
    func gress(_ tier: Tier) throws {
        func ports(_ tcp: Int, _ udp: Int, _ sctp: Int) -> String {
            "protocols: [{tcp: {destinationPort: {number: \(tcp)}}}, {udp: {destinationPort: {number: \(udp)}}}, "
                + "{sctp: {destinationPort: {number: \(sctp)}}}]"
        }
        func rules(_ member: String, _ opened: String) -> [String] {
            [
                "{action: Accept, \(member): [{\(houseSelection("rav"))}]}",
                "{action: Deny, \(member): [{\(houseSelection("rav"))}]}",
                "{action: Pass, \(member): [{\(houseSelection("rav"))}]}",
                "{action: Deny, \(member): [{\(houseSelection("sly"))}], \(ports(80, 53, 9003))}",
                "{action: Pass, \(member): [{\(houseSelection("sly"))}], \(ports(80, 53, 9003))}",
                "{action: Accept, \(member): [{\(houseSelection("huf"))}], \(opened)}",
                "{action: Deny, \(member): [{\(houseSelection("huf"))}]}",
            ]
        }
        var ingress = rules("from", ports(80, 5353, 9003))
        var egress = rules("to", ports(8080, 5353, 9003))
        var world = Houses()
        func apply() throws {
            try world.apply(
                clusterPolicy(
                    tier == .admin ? "admin" : "baseline", tier, subject: houseSelection("gry"),
                    "ingress: [\(ingress.joined(separator: ", "))]\negress: [\(egress.joined(separator: ", "))]"))
        }
        try apply()
        #expect(
            try world.wrong(
                "gry->rav tcp80+ udp53+ sctp9003+;rav->gry tcp80+ udp53+ sctp9003+;gry->huf tcp8080+ tcp80-")
                == [])
        #expect(
            try world.wrong(
                "gry->huf udp5353+ udp53- sctp9003+ sctp9005-;huf->gry tcp80+ tcp8080- udp5353+ udp53- sctp9003+ sctp9005-"
            ) == [])
        ingress.swapAt(0, 1)
        egress.swapAt(0, 1)
        try apply()
        #expect(
            try world.wrong("gry->rav tcp80- udp53- sctp9003-;rav->gry tcp80- udp53- sctp9003-") == [])
        #expect(
            try world.wrong(
                "gry->sly tcp80- tcp8080+ udp53- udp5353+ sctp9003- sctp9005+;"
                    + "sly->gry tcp80- tcp8080+ udp53- udp5353+ sctp9003- sctp9005+") == [])
        // "Pass in Baseline: go to default allow", so the steps of Admin hold there too.
        for (first, second) in [(0, 2), (3, 4)] {
            ingress.swapAt(first, second)
            egress.swapAt(first, second)
        }
        try apply()
        #expect(
            try world.wrong(
                "gry->rav tcp80+ udp5353+ sctp9003+;rav->gry tcp80+ udp53+ sctp9003+;"
                    + "gry->sly tcp80+ tcp8080+ udp53+ udp5353+ sctp9003+ sctp9005+;"
                    + "sly->gry tcp80+ tcp8080+ udp53+ udp5353+ sctp9003+ sctp9005+") == [])
    }

    @Test("networks match the addresses of pods", arguments: [Tier.admin, .baseline])
    func networks(_ tier: Tier) throws {
        let name = tier == .admin ? "admin" : "baseline"
        let deny =
            "{action: Accept, to: [{\(houseSelection("sly"))}]}, {action: Deny, to: [{networks: [0.0.0.0/0, \"::/0\"]}]}"
        let all = "tcp80- udp53- sctp9003-"
        var world = Houses()
        try world.apply(clusterPolicy(name, tier, subject: houseSelection("gry"), "egress: [\(deny)]"))
        #expect(try world.wrong("gry->rav \(all);gry->huf \(all);gry->sly tcp80+ udp53+ sctp9003+") == [])
        let label = "conformance-house"
        for index in world.objects.namespaces.indices where world.objects.namespaces[index].metadata.name == "slytherin"
        {
            world.objects.namespaces[index].metadata.labels[label] = "durmstrang"
            #expect(try world.wrong("gry->sly \(all)") == [])
            world.objects.namespaces[index].metadata.labels[label] = "slytherin"
            #expect(try world.wrong("gry->sly tcp80+ udp53+ sctp9003+") == [])
        }
        let accept = "{action: Accept, to: [{networks: [\(world.prefix("rav", 0)), \(world.prefix("huf", 0))]}]}"
        try world.apply(clusterPolicy(name, tier, subject: houseSelection("gry"), "egress: [\(accept), \(deny)]"))
        #expect(try world.wrong("gry->rav tcp80+ udp53+ sctp9003+;gry->rav1 \(all)") == [])
        #expect(try world.wrong("gry->huf tcp80+ udp53+ sctp9003+;gry->huf1 \(all)") == [])
    }

    @Test("nodes are peers by their labels", arguments: [Tier.admin, .baseline])
    func nodes(_ tier: Tier) throws {
        let nodes = "to: [{nodes: {matchLabels: {kubernetes.io/os: linux}}}]"
        var world = Houses()
        try world.apply(
            clusterPolicy(
                tier == .admin ? "admin" : "baseline", tier, subject: houseSelection("gry"),
                """
                egress:
                - {action: Accept, \(nodes), protocols: [{tcp: {destinationPort: {number: 36363}}}]}
                - {action: Pass, \(nodes), protocols: [{udp: {destinationPort: {number: 34345}}}]}
                - {action: Deny, \(nodes)}
                """))
        #expect(
            try world.wrong("gry->node tcp36363+ udp34345+ tcp36364- udp34346- sctp9003-;gry->rav tcp36364+") == [])
    }

    @Test("named ports are those of the destination", arguments: [Tier.admin, .baseline])
    func namedPorts(_ tier: Tier) throws {
        let name = tier == .admin ? "admin" : "baseline"
        var world = Houses()
        try world.apply(
            clusterPolicy(
                name, tier, subject: houseSelection("gry"),
                """
                egress:
                - {action: Accept, to: [{\(houseSelection("huf"))}], protocols: [{destinationNamedPort: web}]}
                - {action: Deny, to: [{\(houseSelection("huf"))}]}
                ingress:
                - {action: Accept, from: [{\(houseSelection("huf"))}], protocols: [{destinationNamedPort: dns}]}
                - {action: Deny, from: [{\(houseSelection("huf"))}]}
                """))
        #expect(
            try world.wrong("gry->huf tcp80+ tcp8080- udp53- udp80-;huf->gry udp53+ udp5353- tcp53- tcp80-") == [])
    }

    @Test("Admin, then NetworkPolicy, then Baseline")
    func integration() throws {
        func policies(_ ingress: String, _ egress: String, hasNetworkPolicy: Bool) -> String {
            let networkPolicy = """
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: np, namespace: gryffindor}
                spec:
                  policyTypes: [Ingress, Egress]
                  ingress: [{from: [{namespaceSelector: {matchLabels: {conformance-house: slytherin}}}]}]
                  egress: [{to: [{namespaceSelector: {matchLabels: {conformance-house: slytherin}}}]}]

                """
            return clusterPolicy(
                "admin", .admin, subject: houseSelection("gry"),
                "ingress: [{action: \(ingress), from: [{\(houseSelection("sly"))}]}]\n"
                    + "egress: [{action: \(egress), to: [{\(houseSelection("sly"))}]}]")
                + clusterPolicy(
                    "baseline", .baseline, subject: houseSelection("gry"),
                    "ingress: [{action: Deny, from: [{\(houseSelection("sly"))}]}]\negress: [{action: Deny, to: [{\(houseSelection("sly"))}]}]"
                )
                + (hasNetworkPolicy ? networkPolicy : "")
        }
        var world = Houses()
        try world.apply(policies("Deny", "Deny", hasNetworkPolicy: true))
        #expect(try world.wrong("sly->gry tcp80- tcp8080-;gry->sly tcp80- tcp8080-") == [])
        try world.apply(policies("Pass", "Deny", hasNetworkPolicy: true))
        #expect(try world.wrong("sly->gry tcp80+ tcp8080+;gry->sly tcp80-") == [])
        try world.apply(policies("Pass", "Pass", hasNetworkPolicy: true))
        #expect(try world.wrong("sly->gry tcp80+ tcp8080+;gry->sly tcp80+ tcp8080+") == [])
        try world.apply(policies("Pass", "Pass", hasNetworkPolicy: false))
        #expect(try world.wrong("sly->gry tcp80- tcp8080-;gry->sly tcp80- tcp8080-") == [])
    }

    @Test("the lower priority number is asked first")
    func priority() throws {
        func policies(_ passing: Int) -> String {
            func both(_ action: String) -> String {
                "ingress: [{action: \(action), from: [{\(houseSelection("sly"))}]}]\negress: [{action: \(action), to: [{\(houseSelection("sly"))}]}]"
            }
            return clusterPolicy("old", .admin, priority: 50, subject: houseSelection("gry"), both("Deny"))
                + clusterPolicy("new", .admin, priority: passing, subject: houseSelection("gry"), both("Pass"))
                + clusterPolicy("baseline", .baseline, subject: houseSelection("gry"), both("Accept"))
        }
        var world = Houses()
        try world.apply(policies(60))
        #expect(try world.wrong("sly->gry tcp80- tcp8080-;gry->sly tcp80- tcp8080-") == [])
        try world.apply(policies(40))
        #expect(try world.wrong("sly->gry tcp80+ tcp8080+;gry->sly tcp80+ tcp8080+") == [])
    }
}
