import PolicyAPI
import PolicyIR

/// The lowered policies in force, under numbers, and which of them select whom.
struct PolicySlots: Sendable {
    /// By number; of one that is free, something that selects nobody.
    private(set) var policies: [LoweredPolicy] = []
    private var numbers: [ClusterObject.Key: [Int]] = [:]
    private var free: [Int] = []
    private var selectors = SubjectIndex()
    /// The numbers of those that select nodes.
    private(set) var hostPolicies: Set<Int> = []

    private static let nobody = LoweredPolicy(
        subject: .nodes(LabelSelector()), ingress: nil, egress: nil,
        origin: RuleOrigin(kind: "", namespace: "", name: "", path: ""))

    /// Puts an object's policies in force. Their numbers have the order of the list, which decides where origins are equal.
    mutating func install(
        _ installed: [LoweredPolicy], of key: ClusterObject.Key, in index: inout IdentityIndex
    ) -> [Int] {
        var found: [Int] = []
        for _ in installed {
            if let number = free.popLast() {
                found.append(number)
            } else {
                found.append(policies.count)
                policies.append(PolicySlots.nobody)
            }
        }
        found.sort()
        for (number, policy) in zip(found, installed) {
            policies[number] = policy
            selectors.add(number, policy, in: &index)
            if case .nodes = policy.subject { hostPolicies.insert(number) }
        }
        numbers[key] = found.isEmpty ? nil : found
        return found
    }

    /// Takes an object's policies out of force. They can be read, and their numbers are nobody else's, until `release`.
    mutating func retire(_ key: ClusterObject.Key, in index: inout IdentityIndex) -> [Int] {
        guard let found = numbers.removeValue(forKey: key) else { return [] }
        for number in found { selectors.remove(number, policies[number], in: &index) }
        hostPolicies.subtract(found)
        return found
    }

    /// Gives numbers free.
    mutating func release(_ retired: [Int]) {
        for number in retired { policies[number] = PolicySlots.nobody }
        free += retired
    }

    /// The policies that select a class of pods, in the order of their origins.
    mutating func applying(to podClass: IdentityIndex.ClassID, in index: inout IdentityIndex) -> [Int] {
        selectors.applying(to: podClass, of: policies, in: &index)
    }

    /// The policies that select a node with these labels, in the order of their origins.
    func applying(toNode labels: CiliumLabels) -> [Int] {
        let former = Set(numbers[CompilerState.formerHostPolicies] ?? [])
        let found = hostPolicies.subtracting(former).filter { number in
            if case .nodes(let selector) = policies[number].subject { selector.matches(labels) } else { false }
        }
        return SubjectIndex.ordered(found.sorted(), of: policies)
    }

    /// The policies that the node goes back to, in the order of their origins, whatever they select.
    var formerHostPolicies: [Int] {
        SubjectIndex.ordered(numbers[CompilerState.formerHostPolicies] ?? [], of: policies)
    }

    /// The policies that select a class of pods when some were retired and others installed, in the order of their origins;
    /// `nil`: the same as before. O(installed), however many there are.
    mutating func applying(
        to podClass: IdentityIndex.ClassID, before: [Int], without retired: Set<Int>, and installed: [Int],
        in index: inout IdentityIndex
    ) -> [Int]? {
        let kept = before.filter { !retired.contains($0) }
        var added: [Int] = []
        for number in installed where selectors.applies(number, policies[number], to: podClass, in: &index) {
            added.append(number)
        }
        if added.isEmpty, kept.count == before.count { return nil }
        return SubjectIndex.ordered(kept + added, of: policies)
    }
}
