import Agent

/// Keeps Pods back until their Namespace has come, and the end of a Namespace until its Pods are gone: a namespace's labels are part of
/// what selectors see of its pods, and kinds are followed apart. A pod that is kept back is one without an object: closed, not open.
struct NamespaceOrder {
    /// Those that were handed on.
    private var namespaces: Set<String> = []
    /// Names of the Pods that were handed on, by namespace.
    private var pods: [String: Set<String>] = [:]
    /// Pods that wait for their Namespace.
    private var waiting: [String: [ObjectKey: ObjectNews]] = [:]
    /// Ends of Namespaces that wait for their Pods'.
    private var ending: [String: (key: ObjectKey, news: ObjectNews)] = [:]

    /// Takes what is new; returns what may be handed on now.
    mutating func pass(_ news: [ObjectKey: ObjectNews]) -> [ObjectKey: ObjectNews] {
        var passed = news
        for (key, one) in news where key.objectKind == .namespace {
            if one.isDelete {
                ending[key.name] = (key, one)
                passed[key] = nil
            } else if one.isUpsert {
                ending[key.name] = nil
                namespaces.insert(key.name)
            }
        }
        for (key, one) in news where key.objectKind == .pod {
            if one.isDelete {
                pods[key.namespace]?.remove(key.name)
                waiting[key.namespace]?[key] = nil
            } else if namespaces.contains(key.namespace) {
                if one.isUpsert { pods[key.namespace, default: []].insert(key.name) }
            } else {
                waiting[key.namespace, default: [:]][key, default: ObjectNews()].add(one)
                passed[key] = nil
            }
        }
        for (namespace, kept) in waiting where namespaces.contains(namespace) {
            for (key, one) in kept {
                passed[key] = one
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
        return passed
    }
}
