import Agent

/// Keeps Pods back until their Namespace has come, and the end of a Namespace until its Pods are gone: a namespace's labels are part of
/// what selectors see of its pods, and kinds are followed apart. A local pod that is kept back is one without an object: closed, not
/// open. The addresses of any pod that is kept back would count as outside the cluster: what stands in for them closes them.
struct NamespaceOrder {
    /// Those that were handed on, refused ones too: what stands in their place closes the pods that are handed on, and no others.
    private var namespaces: Set<String> = []
    /// Names of the Pods that were handed on, by namespace.
    private var pods: [String: Set<String>] = [:]
    /// Pods that wait for their Namespace.
    private var waiting: [String: [ObjectKey: ObjectNews]] = [:]
    /// Those of them of which nothing was said since they changed, and those for which something stands in.
    private var untold: Set<ObjectKey> = []
    private var stoodFor: Set<ObjectKey> = []
    /// Ends of Namespaces that wait for their Pods'.
    private var ending: [String: (key: ObjectKey, news: ObjectNews)] = [:]

    /// Takes what is new; returns what may be handed on now. `isListed`: the Namespaces have been listed once. Before that all Pods wait, and
    /// nothing is put in force.
    mutating func pass(_ news: [ObjectKey: ObjectNews], isListed: Bool = true) -> [ObjectKey: ObjectNews] {
        var passed = news
        for (key, one) in news where key.objectKind == .namespace {
            if one.isDelete, !one.isRefused {
                ending[key.name] = (key, one)
                passed[key] = nil
            } else {
                ending[key.name] = nil
                namespaces.insert(key.name)
            }
        }
        for (key, one) in news where key.objectKind == .pod {
            if one.isDelete {
                pods[key.namespace]?.remove(key.name)
                waiting[key.namespace]?[key] = nil
                stoodFor.remove(key)
            } else if namespaces.contains(key.namespace) {
                if one.isUpsert { pods[key.namespace, default: []].insert(key.name) }
            } else {
                waiting[key.namespace, default: [:]][key, default: ObjectNews()].add(one)
                untold.insert(key)
                passed[key] = nil
            }
        }
        for (namespace, kept) in waiting where namespaces.contains(namespace) {
            for (key, one) in kept {
                passed[key] = one
                stoodFor.remove(key)
                if one.isUpsert { pods[namespace, default: []].insert(key.name) }
            }
            waiting[namespace] = nil
        }
        for (namespace, end) in ending where pods[namespace]?.isEmpty ?? true {
            passed[end.key] = end.news
            ending[namespace] = nil
            pods[namespace] = nil
            namespaces.remove(namespace)
        }
        if isListed { standIn(&passed) }
        return passed
    }

    /// Hands on what stands in for the Pods that wait, where that is something else than before.
    private mutating func standIn(_ passed: inout [ObjectKey: ObjectNews]) {
        for key in untold {
            guard let news = waiting[key.namespace]?[key] else { continue }
            if let refused = RefusedObject(waiting: key, news) {
                passed[key] = ObjectNews(.refused(refused))
                stoodFor.insert(key)
            } else if stoodFor.remove(key) != nil {
                passed[key] = ObjectNews(.delete(key))
            }
        }
        untold = []
    }
}
