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

    /// By number; of one that is free, an empty one. At first the list that they came in, shared with whoever has it.
    private var all: [Pod] = []
    /// By number: the class of an endpoint, or one of the following.
    private(set) var classes: [IdentityIndex.ClassID] = []
    /// The numbers of local endpoints.
    private(set) var local: Set<Int> = []
    private var free: [Int] = []
    /// Made when somebody first asks.
    private var numbers: [Name: Int]?

    /// In the place of a class: a pod that is no endpoint, and no pod.
    private static let (noEndpoint, nobody): (IdentityIndex.ClassID, IdentityIndex.ClassID) = (-1, -2)
    private static let nothing = Pod(metadata: ObjectMeta(name: ""))

    init() {}

    /// Pods by number, with the class of each that is an endpoint; `local` are the numbers of local endpoints.
    init(_ pods: [Pod], classes: [IdentityIndex.ClassID?], local: Set<Int>) {
        all = pods
        self.classes = classes.map { $0 ?? PodTable.noEndpoint }
        self.local = local
    }

    /// The pod of a number, `nil` for one that is free. To ask copies it.
    func pod(_ number: Int) -> Pod? { classes[number] == PodTable.nobody ? nil : all[number] }

    /// The class of the pod of a number; `nil`: it is no endpoint.
    func podClass(_ number: Int) -> IdentityIndex.ClassID? { classes[number] < 0 ? nil : classes[number] }

    /// The pods.
    var pods: [Pod] { free.isEmpty ? all : all.indices.compactMap(pod) }

    /// The number of a pod.
    mutating func number(of name: String, in namespace: String) -> Int? {
        if numbers == nil {
            var found: [Name: Int] = [:]
            found.reserveCapacity(all.count)
            for number in all.indices where classes[number] != PodTable.nobody {
                found[Name(namespace: all[number].metadata.namespace, name: all[number].metadata.name)] = number
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
            all[number] = entry.pod
        } else {
            number = all.count
            all.append(entry.pod)
            classes.append(PodTable.nobody)
        }
        classes[number] = entry.podClass ?? PodTable.noEndpoint
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
    mutating func refresh(_ number: Int, _ pod: Pod) { all[number] = pod }

    /// Takes a pod out.
    mutating func remove(_ number: Int) {
        guard let meta = pod(number)?.metadata else { return }
        numbers?[Name(namespace: meta.namespace, name: meta.name)] = nil
        all[number] = PodTable.nothing
        classes[number] = PodTable.nobody
        local.remove(number)
        free.append(number)
    }

    /// The name of a pod for people, `namespace/name`.
    func qualifiedName(_ number: Int) -> String? { pod(number)?.qualifiedName }
}
