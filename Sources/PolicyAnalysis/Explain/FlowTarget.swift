import NetTypes
import PolicyAPI
import PolicyIR

/// What somebody may write as an end of a flow that stands for several: a prefix, the world, the other nodes, the pods of a workload.
enum FlowTarget: Hashable {
    /// `ip:10.0.0.0/8`.
    case prefix(IPPrefix)
    /// `world`: every address that no pod, node or Service of the cluster has.
    case world
    /// `remote-node`: every known node but the local one, or some other node where none is known.
    case otherNodes
    /// `deploy/NAME`, `sts/NAMESPACE/NAME`.
    case workload(Workload.Kind, namespace: String?, name: String)

    /// `nil` for what is no such text.
    init?(parsing text: String) {
        if text == "world" {
            self = .world
            return
        }
        if text == "remote-node" {
            self = .otherNodes
            return
        }
        if text.hasPrefix("ip:"), let prefix = IPPrefix(parsing: text.dropFirst(3)) {
            self = .prefix(prefix)
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }),
            let kind = FlowTarget.kinds[parts[0].lowercased()]
        else { return nil }
        self = .workload(kind, namespace: parts.count == 3 ? parts[1] : nil, name: parts[parts.count - 1])
    }

    /// The words for kinds, as kubectl has them.
    private static let kinds: [String: Workload.Kind] = {
        let words: [(Workload.Kind, [String])] = [
            (.deployment, ["deploy", "deployment", "deployments"]),
            (.statefulSet, ["sts", "statefulset", "statefulsets"]), (.daemonSet, ["ds", "daemonset", "daemonsets"]),
            (.replicaSet, ["rs", "replicaset", "replicasets"]),
            (.replicationController, ["rc", "replicationcontroller", "replicationcontrollers"]),
            (.job, ["job", "jobs"]), (.cronJob, ["cj", "cronjob", "cronjobs"]),
        ]
        return Dictionary(words.flatMap { kind, words in words.map { ($0, kind) } }) { first, _ in first }
    }()
}

/// The addresses or pods that one written end stands for, cut so that each part gets one answer.
struct FlowEndParts {
    /// A part.
    struct Part {
        /// The end that stands for it.
        let end: FlowEnd
        /// Its addresses; empty for an end that is one by itself.
        var prefixes: [IPPrefix] = []
    }

    /// The parts.
    let parts: [Part]
    /// Whether the end was written as something that stands for several.
    let isSeveral: Bool

    /// An end that is one.
    init(_ end: FlowEnd) {
        parts = [Part(end: end)]
        isSeveral = false
    }

    /// Addresses.
    init(_ parts: [AddressParts.Part]) {
        self.parts = parts.map { Part(end: .address($0.example), prefixes: $0.prefixes) }
        isSeveral = true
    }

    /// Pods.
    init(_ pods: [Pod]) {
        parts = pods.map { Part(end: .pod(namespace: $0.metadata.namespace, name: $0.metadata.name)) }
        isSeveral = true
    }

    /// Nodes, by their addresses; one of which no address is known is some other node.
    init(nodes: [FlowEnd]) {
        parts = nodes.map { Part(end: $0) }
        isSeveral = true
    }

    /// The parts of these numbers in words, at most eight.
    func words(_ numbers: [Int]) -> String {
        let names = names(numbers)
        return names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }

    /// The parts of these numbers as ends are written.
    func names(_ numbers: [Int]) -> [String] {
        let prefixes = AddressParts.merged(numbers.flatMap { parts[$0].prefixes })
        return numbers.filter { parts[$0].prefixes.isEmpty }.map { "\(parts[$0].end)" }
            + prefixes.map { $0.mappedLength == 128 ? "ip:\($0.address)" : "ip:\($0)" }
    }
}

extension FlowText {
    /// What both ends stand for.
    func ends(
        in objects: ClusterObjects, _ evaluator: ReferenceEvaluator
    ) throws(Mistake) -> (from: FlowEndParts, to: FlowEndParts) {
        let from = try parts(self.from, namespace: nil, objects, evaluator)
        var namespace: String?
        if case .pod(let own, _)? = from.parts.first?.end { namespace = own }
        return (from, try parts(to, namespace: namespace, objects, evaluator))
    }

    /// One flow for each pair of parts of the ends that policies may treat in a way of its own.
    ///
    /// - Throws: `Mistake` when an end or port is not among the objects, or there is no such flow at all.
    func flows(in objects: ClusterObjects, _ evaluator: ReferenceEvaluator) throws(Mistake) -> [Flow] {
        let (from, to) = try ends(in: objects, evaluator)
        var flows: [Flow] = []
        for pair in try pairs(from, to, in: objects, evaluator.view) {
            do throws(FlowError) {
                if try evaluator.route(pair.flow) == nil { try evaluator.checkFamilies(of: pair.flow) }
                flows.append(pair.flow)
            } catch {
                // Parts of the other family, where an end has but one: nobody can begin such a flow.
                guard error == .mixedFamilies else { throw Mistake(description: "\(error)") }
            }
        }
        guard !flows.isEmpty else {
            throw Mistake(description: "there is no flow from \(self.from) to \(self.to) of one address family")
        }
        return flows
    }

    /// The flow of each pair of parts, with their numbers. Parts of a family in which a pod at the other end has no address are left out;
    /// where there are no others, what policies say of them is the question.
    ///
    /// - Throws: `Mistake` when there are too many, or a port is not among the objects.
    func pairs(
        _ from: FlowEndParts, _ to: FlowEndParts, in objects: ClusterObjects, _ view: ClusterView
    ) throws(Mistake) -> [(sender: Int, receiver: Int, flow: Flow)] {
        guard from.parts.count * to.parts.count <= PartsExplanation.limit else {
            throw Mistake(
                description: "this is about \(from.parts.count * to.parts.count) flows that may differ; ask about fewer"
            )
        }
        var all: [(sender: Int, receiver: Int, flow: Flow)] = []
        for (sender, own) in from.parts.enumerated() {
            for (receiver, other) in to.parts.enumerated() where own.end != other.end {
                all.append((sender, receiver, try flow(from: own.end, to: other.end, in: objects, view)))
            }
        }
        let possible = all.filter { !view.isOfMissingFamily($0.flow) }
        return possible.isEmpty ? all : possible
    }

    /// The parts of an end; a workload without a namespace is looked for in that of the sender first.
    func parts(
        _ text: String, namespace: String?, _ objects: ClusterObjects, _ evaluator: ReferenceEvaluator
    ) throws(Mistake) -> FlowEndParts {
        guard let target = FlowTarget(parsing: text),
            !objects.pods.contains(where: { $0.qualifiedName == text })
        else { return FlowEndParts(try end(text, objects)) }
        switch target {
        case .prefix(let prefix): return FlowEndParts(try AddressParts(objects, evaluator).parts(of: prefix))
        case .world:
            let cutter = AddressParts(objects, evaluator)
            var parts: [AddressParts.Part] = []
            for whole in [IPPrefix(IPAddress(ipv4: 0), length: 0), IPPrefix(IPAddress(high: 0, low: 0), length: 0)] {
                if let whole { parts += try cutter.parts(of: whole, onlyOutside: true) }
            }
            return FlowEndParts(parts)
        case .otherNodes: return FlowText.otherNodes(objects, evaluator.view)
        case .workload(let kind, let written, let name):
            let all = objects.pods.filter { pod in
                !pod.isFinished && pod.owners.contains { kind.owns($0, as: name) }
                    && (written.map { $0 == pod.metadata.namespace } ?? true)
            }.sorted { $0.qualifiedName < $1.qualifiedName }
            let near = all.filter { $0.metadata.namespace == namespace }
            let pods = near.isEmpty ? all : near
            let namespaces = Set(pods.map(\.metadata.namespace)).sorted()
            guard namespaces.count == 1 else {
                throw Mistake(
                    description: namespaces.isEmpty
                        ? "there is no pod of \(kind.rawValue) \(written.map { $0 + "/" } ?? "")\(name)"
                            + NameHint.text(name, objects.pods.map(\.qualifiedName).sorted(), noun: "pods")
                        : "\(kind.rawValue) \(name) is in several namespaces; write "
                            + namespaces.map { "\(text.prefix { $0 != "/" })/\($0)/\(name)" }.joined(separator: " or "))
            }
            return FlowEndParts(pods)
        }
    }

    /// The nodes other than the local one: what policies say of one may hang on its labels and addresses.
    private static func otherNodes(_ objects: ClusterObjects, _ view: ClusterView) -> FlowEndParts {
        let nodes = objects.nodes.filter { $0.metadata.name != view.localNode }
        let addresses = Set(
            nodes.flatMap(\.addresses)
                + objects.pods.lazy.filter { $0.hostNetwork && !$0.isFinished }.flatMap(\.addresses))
        var ends: [FlowEnd] = addresses.sorted().compactMap { address in
            if case .node(let name) = view.owner(of: address), name != view.localNode { .address(address) } else { nil }
        }
        if ends.isEmpty { return FlowEndParts(.remoteNode) }
        if nodes.contains(where: \.addresses.isEmpty) { ends.append(.remoteNode) }
        return FlowEndParts(nodes: ends)
    }

    /// The same flow with a namespace for ends that name none: `web`, `deploy/web`, `svc/web`, `pod/web`.
    public func inNamespace(_ namespace: String) -> FlowText {
        func qualified(_ text: String) -> String {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            var isBareTarget = parts.count == 2 && parts[0] == "svc"
            if case .workload(_, nil, _)? = FlowTarget(parsing: text) { isBareTarget = true }
            if isBareTarget { return "\(parts[0])/\(namespace)/\(parts[1])" }
            let isName = FlowEnd(parsing: text) == nil && FlowTarget(parsing: text) == nil && FlowText.isBareName(text)
            return isName ? "\(namespace)/\(text)" : text
        }
        return FlowText(from: qualified(from), to: qualified(to), traffic: traffic)
    }
}
