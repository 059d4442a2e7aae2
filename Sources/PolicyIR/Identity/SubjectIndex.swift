/// Which policies apply to which class of pods, by index: the namespace first, then the selector.
public struct SubjectIndex: Sendable {
    private var policiesOfNamespace: [UInt32: [Int]] = [:]
    private var policiesOfAny: [Int] = []
    /// By policy; compiled when a class of the right namespace first asks.
    private var selectors: [[CompiledRequirement]?] = []

    /// An index of no policies.
    public init() {}

    /// An index of policies; their positions in the list are their numbers.
    public init(_ policies: [LoweredPolicy], in index: inout IdentityIndex) {
        for (number, policy) in policies.enumerated() { add(number, policy, in: &index) }
    }

    /// Adds a policy under a number that no other policy has.
    public mutating func add(_ number: Int, _ policy: LoweredPolicy, in index: inout IdentityIndex) {
        while selectors.count <= number { selectors.append(nil) }
        for place in SubjectIndex.places(policy) {
            if let namespace = place {
                policiesOfNamespace[index.symbols.intern(namespace), default: []].append(number)
            } else {
                policiesOfAny.append(number)
            }
        }
    }

    /// Takes a policy out. O(policies of its namespaces).
    public mutating func remove(_ number: Int, _ policy: LoweredPolicy, in index: inout IdentityIndex) {
        selectors[number] = nil
        for place in SubjectIndex.places(policy) {
            if let namespace = place {
                policiesOfNamespace[index.symbols.intern(namespace)]?.removeAll { $0 == number }
            } else {
                policiesOfAny.removeAll { $0 == number }
            }
        }
    }

    /// The numbers of the policies that select a class of pods, in the order of their origins.
    public mutating func applying(
        to podClass: IdentityIndex.ClassID, of policies: [LoweredPolicy], in index: inout IdentityIndex
    ) -> [Int] {
        let namespace = index.namespaces[Int(index.classes[Int(podClass)].namespace)].name
        var found: [Int] = []
        for number in (policiesOfNamespace[namespace] ?? []) + policiesOfAny {
            let selector = compiled(number, policies[number], in: &index)
            if index.matches(podClass, selector) { found.append(number) }
        }
        return SubjectIndex.ordered(found, of: policies)
    }

    /// Whether one policy selects a class of pods.
    public mutating func applies(
        _ number: Int, _ policy: LoweredPolicy, to podClass: IdentityIndex.ClassID, in index: inout IdentityIndex
    ) -> Bool {
        if case .nodes = policy.subject { return false }
        let selector = compiled(number, policy, in: &index)
        return index.matches(podClass, selector)
    }

    /// Numbers of policies in the order of their origins; where origins say nothing, of the numbers.
    public static func ordered(_ numbers: [Int], of policies: [LoweredPolicy]) -> [Int] {
        numbers.sorted { left, right in
            if policies[left].origin < policies[right].origin { return true }
            return left < right && !(policies[right].origin < policies[left].origin)
        }
    }

    /// The namespaces in which a policy selects pods, each once; `nil` stands for any.
    private static func places(_ policy: LoweredPolicy) -> [String?] {
        switch policy.subject {
        case .pods(.matching, _):
            return [nil]
        case .pods(.named(let namespace), _):
            return [namespace]
        case .endpoints(let selector):
            let scope = selector.requirements.first { $0.operator == .isIn && $0.isAbout(CiliumKey.namespace) }
            return scope.map { Array(Set($0.values)) } ?? [nil]
        case .nodes:
            // "nodeSelector rules match only the local host": never a pod.
            return []
        }
    }

    private mutating func compiled(
        _ number: Int, _ policy: LoweredPolicy, in index: inout IdentityIndex
    ) -> [CompiledRequirement] {
        if let known = selectors[number] { return known }
        let requirements: [CompiledRequirement] =
            switch policy.subject {
            case .pods(.named(let namespace), let selector):
                [index.inNamespace(namespace)] + index.compile(pods: selector)
            case .pods(.matching(let namespaces), let selector):
                index.compile(namespaces: namespaces) + index.compile(pods: selector)
            case .endpoints(let selector): index.compile(endpoints: selector)
            // In no list.
            case .nodes: []
            }
        selectors[number] = requirements
        return requirements
    }
}
