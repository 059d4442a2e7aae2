import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyIR

/// The cluster of upstream's conformance tests (docs/spec/network-policy.md 3.4): four houses with two pods each, and a node.
struct Houses {
    var objects = ClusterObjects()

    /// The houses, by the first three letters.
    static let names = ["gry": "gryffindor", "sly": "slytherin", "huf": "hufflepuff", "rav": "ravenclaw"]

    init() {
        for (index, house) in Houses.names.values.sorted().enumerated() {
            objects.namespaces.append(namespace(house, "conformance-house=\(house)"))
            for number in 0..<2 {
                objects.pods.append(
                    pod(
                        "\(house)/\(house)-\(number)", "app=\(house), number=\(number)",
                        ["10.0.\(index).\(number + 1)"],
                        ports: [
                            ContainerPort(name: "web", protocol: .tcp, port: 80),
                            ContainerPort(name: "dns", protocol: .udp, port: 53),
                        ]))
            }
        }
        objects.nodes = [
            Node(
                metadata: ObjectMeta(name: "node-1", labels: ["kubernetes.io/os": "linux"]),
                addresses: ["192.168.0.1"].compactMap { IPAddress(parsing: $0) }),
            Node(
                metadata: ObjectMeta(name: "node-2", labels: ["kubernetes.io/os": "linux"]),
                addresses: ["192.168.0.2"].compactMap { IPAddress(parsing: $0) }),
        ]
    }

    /// The address of a pod as a prefix.
    func prefix(_ house: String, _ number: Int) -> String {
        let name = "\(Houses.names[house] ?? "")-\(number)"
        return objects.pods.first { $0.metadata.name == name }.map { "\($0.addresses[0])/32" } ?? ""
    }

    /// Reads policies into the cluster; they must have no error.
    mutating func apply(_ manifests: String) throws {
        let decoded = decode(manifests)
        try #require(decoded.errors == [])
        objects.clusterPolicies = decoded.objects.clusterPolicies
        objects.networkPolicies = decoded.objects.networkPolicies
    }

    /// The answers to probes `gry->rav tcp80+`, separated by blanks and semicolons as in the table of the specification: after an
    /// arrow, ports that connect (+) and ports that time out (-). Returns the probes that were answered otherwise.
    func wrong(_ text: String) throws -> [String] {
        let evaluator = evaluator(objects)
        var wrong: [String] = []
        for part in text.split(separator: ";") {
            let words = part.split(separator: " ").map(String.init)
            let ends = words[0].split(separator: ">").map { String($0.filter { $0 != "-" }) }
            for probe in words.dropFirst() {
                let isAllowed = probe.hasSuffix("+")
                let letters = probe.prefix { $0.isLetter }
                let port = try #require(UInt16(probe.dropFirst(letters.count).dropLast()))
                let wanted = try #require(L4Protocol(parsing: letters))
                let flow = Flow(
                    from: try end(ends[0]), to: try end(ends[1]), protocol: wanted, port: port)
                if (try evaluator.answer(flow).verdict == .allow) != isAllowed { wrong.append("\(words[0]) \(probe)") }
            }
        }
        return wrong
    }

    /// `gry` is its pod 0, `rav1` its pod 1; `node` the node that no pod runs on.
    private func end(_ text: String) throws -> FlowEnd {
        if text == "node" { return .address(try #require(IPAddress(parsing: "192.168.0.2"))) }
        let house = try #require(Houses.names[String(text.prefix(3))])
        return .pod(namespace: house, name: "\(house)-\(text.dropFirst(3).isEmpty ? "0" : text.dropFirst(3))")
    }
}

/// A selection of a house's pods, as a peer or a subject.
func houseSelection(_ text: String) -> String {
    "namespaces: {matchLabels: {conformance-house: \(Houses.names[text] ?? text)}}"
}
