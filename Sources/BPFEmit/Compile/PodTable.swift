import PolicyAPI
import PolicyIR

/// The pods of the cluster, under numbers that stay while a pod is replaced.
struct PodTable: Sendable {
    /// A pod.
    struct Entry: Sendable {
        var pod: Pod
        /// Its class; `nil` for one that is no endpoint: on its node's network, or finished.
        var podClass: IdentityIndex.ClassID?
        var isLocal: Bool
    }

    private struct Name: Hashable {
        var namespace: String
        var name: String
    }

    /// By number.
    private(set) var entries: [Entry?] = []
    /// By number: the class of an endpoint, -1 for others. To ask an entry copies its pod.
    private(set) var classes: [IdentityIndex.ClassID] = []
    /// The numbers of local endpoints.
    private(set) var local: Set<Int> = []
    private var free: [Int] = []
    /// Made when somebody first asks.
    private var numbers: [Name: Int]?

    mutating func reserveCapacity(_ count: Int) {
        entries.reserveCapacity(count)
        classes.reserveCapacity(count)
    }

    /// The number of a pod.
    mutating func number(of name: String, in namespace: String) -> Int? {
        if numbers == nil {
            var found: [Name: Int] = [:]
            found.reserveCapacity(entries.count)
            for (number, entry) in entries.enumerated() {
                if let meta = entry?.pod.metadata {
                    found[Name(namespace: meta.namespace, name: meta.name)] = number
                }
            }
            numbers = found
        }
        return numbers?[Name(namespace: namespace, name: name)]
    }

    /// Adds a pod, or puts it in the place of the one of this number. Returns its number.
    mutating func set(_ entry: Entry, at known: Int? = nil) -> Int {
        let number: Int
        if let place = known ?? free.popLast() {
            number = place
            entries[number] = entry
        } else {
            number = entries.count
            entries.append(entry)
            classes.append(-1)
        }
        classes[number] = entry.podClass ?? -1
        if known == nil, numbers != nil {
            let meta = entry.pod.metadata
            numbers?[Name(namespace: meta.namespace, name: meta.name)] = number
        }
        if entry.isLocal, entry.podClass != nil {
            local.insert(number)
        } else if known != nil {
            local.remove(number)
        }
        return number
    }

    /// Another version of a pod, which policies see no difference to.
    mutating func refresh(_ number: Int, _ pod: Pod) { entries[number]?.pod = pod }

    /// Takes a pod out.
    mutating func remove(_ number: Int) {
        guard let meta = entries[number]?.pod.metadata else { return }
        numbers?[Name(namespace: meta.namespace, name: meta.name)] = nil
        entries[number] = nil
        classes[number] = -1
        local.remove(number)
        free.append(number)
    }

    /// The name of a pod for people, `namespace/name`.
    func qualifiedName(_ number: Int) -> String? { entries[number]?.pod.qualifiedName }
}
