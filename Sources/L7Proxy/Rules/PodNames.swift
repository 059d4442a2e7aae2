public import ProxyRules
internal import Synchronization

/// Whose the addresses of a node's pods are, for the access log: as the agent last wrote it down, whether it runs or not. A pod has an
/// address because the node gave it to its interface; nothing that a pod sends names it.
public final class PodNames: Sendable {
    private let names = Mutex<[String: String]>([:])

    /// No pods.
    public init() {}

    /// The pod with an address as text, `namespace/name`; `nil` when no pod of the node has it.
    public func name(of address: String) -> String? { names.withLock { $0[address] } }

    /// Knows these pods from now on. An address that two claim names neither.
    public func replace(with pods: [RuleSnapshot.Pod]) {
        var found: [String: String] = [:]
        var contested: Set<String> = []
        for pod in pods {
            for address in pod.addresses
            where found.updateValue("\(pod.namespace)/\(pod.name)", forKey: address) != nil {
                contested.insert(address)
            }
        }
        for address in contested { found[address] = nil }
        let named = found
        names.withLock { $0 = named }
    }
}
