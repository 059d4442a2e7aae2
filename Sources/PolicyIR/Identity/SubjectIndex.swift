/// Which policies apply to which class of pods, by index: the namespace first, then the selector.
public struct SubjectIndex: Sendable {
    private var policiesOfNamespace: [UInt32: [Int]] = [:]
    private var policiesOfAny: [Int] = []
    /// Compiled when a class of the right namespace first asks.
    private var selectors: [[CompiledRequirement]?]

    /// An index of policies; their positions in the list are their numbers.
    public init(_ policies: [LoweredPolicy], in index: inout IdentityIndex) {
        selectors = Array(repeating: nil, count: policies.count)
        for (number, policy) in policies.enumerated() {
            switch policy.subject {
            case .pods(.matching, _):
                policiesOfAny.append(number)
            case .pods(.named(let namespace), _):
                policiesOfNamespace[index.symbols.intern(namespace), default: []].append(number)
            case .endpoints(let selector):
                if let scope = selector.requirements.first(where: {
                    $0.operator == .isIn && $0.isAbout(CiliumKey.namespace)
                }) {
                    for namespace in Set(scope.values) {
                        policiesOfNamespace[index.symbols.intern(namespace), default: []].append(number)
                    }
                } else {
                    policiesOfAny.append(number)
                }
            case .nodes:
                // "nodeSelector rules match only the local host": never a pod.
                break
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
            let selector = compiled(number, of: policies, in: &index)
            if index.matches(podClass, selector) { found.append(number) }
        }
        return found.sorted { (policies[$0].origin, $0) < (policies[$1].origin, $1) }
    }

    private mutating func compiled(
        _ number: Int, of policies: [LoweredPolicy], in index: inout IdentityIndex
    ) -> [CompiledRequirement] {
        if let known = selectors[number] { return known }
        let requirements: [CompiledRequirement] =
            switch policies[number].subject {
            case .pods(.named, let selector): index.compile(pods: selector)
            case .pods(.matching(let namespaces), let selector):
                index.compile(namespaces: namespaces) + index.compile(pods: selector)
            case .endpoints(let selector): index.compile(endpoints: selector)
            // Not in any list.
            case .nodes: []
            }
        selectors[number] = requirements
        return requirements
    }
}
