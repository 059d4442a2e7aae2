import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import PolicyIR

/// What is looked at one by one where it is a few, and by its order where it is many, comes to the same.
@Suite("Many labels, ports, values and exceptions")
struct ManyElementsTests {
    private static let counts = [0, 1, 2, 15, 16, 17, 18, 40, 200]

    private static func pod(_ labels: [String: String], _ ports: [ContainerPort] = []) -> Pod {
        Pod(
            metadata: ObjectMeta(name: "p", namespace: "a", labels: labels),
            ports: ports, addresses: [IPAddress(ipv4: 0x0a00_0001)])
    }

    @Test("a sorted array has what it has", arguments: counts)
    func sortedArrays(count: Int) {
        let all = (0..<count).map { $0 * 2 }
        for wanted in -1...(count * 2 + 1) { #expect(all.sortedContains(wanted) == all.contains(wanted)) }
    }

    @Test("labels in any order make one class, whose text has them by key", arguments: counts)
    func labels(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        var index = IdentityIndex(localNode: "n")
        let keys = (0..<count).map { "l\($0)" }
        // Symbols are numbered in this order, which is not that of the texts.
        for key in keys.shuffled(using: &random) { _ = index.podClass(of: Self.pod([key: "v"])) }
        let labels = Dictionary(uniqueKeysWithValues: keys.map { ($0, "v\($0.count)") })
        let podClass = index.podClass(of: Self.pod(labels))
        let text = keys.sorted().map { "\($0)=v\($0.count)" }.joined(separator: ",")
        #expect(index.text(ofClass: podClass) == "a/" + text)
        var again: [String: String] = [:]
        again.reserveCapacity(4_096)
        for key in keys.shuffled(using: &random) { again[key] = labels[key] }
        #expect(index.podClass(of: Self.pod(again)) == podClass)
        for key in keys {
            let one = index.compile(pods: LabelSelector([Self.requirement(key, .isIn, [labels[key] ?? ""])]))
            let other = index.compile(pods: LabelSelector([Self.requirement(key, .isIn, ["other"])]))
            #expect(index.matches(podClass, one) && !index.matches(podClass, other))
        }
        let missing = index.compile(pods: LabelSelector([Self.requirement("m", .exists, [])]))
        #expect(!index.matches(podClass, missing))
    }

    @Test("of 30,000 labels each is found, and the text has them by key")
    func manyLabels() {
        var index = IdentityIndex(localNode: "n")
        let labels = Dictionary(uniqueKeysWithValues: (0..<30_000).map { ("l\($0)", "v") })
        let podClass = index.podClass(of: Self.pod(labels))
        #expect(index.text(ofClass: podClass) == "a/" + labels.keys.sorted().map { $0 + "=v" }.joined(separator: ","))
        let all = index.compile(pods: LabelSelector(labels.keys.map { Self.requirement($0, .isIn, ["v"]) }))
        #expect(index.matches(podClass, all))
    }

    @Test("labels of a namespace are found by key, and values of a condition among the others", arguments: counts)
    func values(count: Int) {
        var index = IdentityIndex(localNode: "n")
        let labels = Dictionary(uniqueKeysWithValues: (0..<count).map { ("l\($0)", "v\($0)") })
        index.setNamespace("a", Namespace(metadata: ObjectMeta(name: "a", labels: labels)))
        let podClass = index.podClass(of: Self.pod(["app": "v3"]))
        for number in 0..<count {
            let scope = index.compile(
                namespaces: LabelSelector([Self.requirement("l\(number)", .isIn, ["v\(number)"])]))
            #expect(index.matches(podClass, scope))
        }
        let values = (0..<count).map { "v\($0)" }
        let isIn = index.compile(pods: LabelSelector([Self.requirement("app", .isIn, values)]))
        let notIn = index.compile(pods: LabelSelector([Self.requirement("app", .notIn, values)]))
        #expect(index.matches(podClass, isIn) == (count > 3) && index.matches(podClass, notIn) == (count <= 3))
    }

    @Test("named ports in any order and with repetitions make one class, and are found by name", arguments: counts)
    func ports(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        var ports: [ContainerPort] = []
        for number in 0..<count {
            let proto: L4Protocol = number % 2 == 0 ? .tcp : .udp
            ports.append(ContainerPort(name: "n\(number % 7)", protocol: proto, port: UInt16(1 + number % 50)))
        }
        var index = IdentityIndex(localNode: "n")
        let podClass = index.podClass(of: Self.pod([:], ports))
        #expect(index.podClass(of: Self.pod([:], (ports + ports).shuffled(using: &random))) == podClass)
        for name in 0...7 {
            for wanted in [L4Protocol.tcp, .udp] {
                let naive = ports.filter { $0.name == "n\(name)" && $0.protocol == wanted }.map(\.port)
                #expect(index.ports(ofClass: podClass, named: "n\(name)", wanted) == Set(naive).sorted())
            }
        }
        #expect(index.namedPorts(ofClass: podClass).count == Set(ports).count)
    }

    private static func requirement(
        _ key: String, _ op: LabelRequirement.Operator, _ values: [String]
    ) -> LabelRequirement {
        LabelRequirement(source: "k8s", key: key, operator: op, values: values)
    }
}
