/// What one object of an API server is.
public struct WireObject: Sendable {
    /// The object; `nil` when it has an error, or is of a kind that netpold does not read.
    public var object: ClusterObject?
    /// `metadata.namespace`, empty for none, as far as it could be read.
    public var namespace = ""
    /// `metadata.name`, empty for none (in bookmarks, for example).
    public var name = ""
    /// `metadata.resourceVersion`, empty for none.
    public var resourceVersion = ""
    /// Whether it carries the annotation that ends the initial events of a streaming list.
    public var endsInitialEvents = false
    /// Whether the bytes are not one JSON object. What was cut out of a list so may have swallowed others: the list has to be asked
    /// for again, and so has the watch.
    public var isMalformed = false
    /// What is wrong with it.
    public var diagnostics: [Diagnostic] = []
    /// What a policy that was refused is about.
    public var refusals: [PolicyRefusal] = []

    /// What was read of an object; of what has an error, whatever names it in its document.
    init(_ document: DocumentNode?, object: ClusterObject? = nil) {
        self.object = object
        if let metadata = object?.metadata {
            name = metadata.name
            namespace = metadata.namespace
        }
        for member in document?["metadata"]?.members ?? [] {
            switch member.key {
            case "name" where object == nil: name = member.value.string ?? ""
            case "namespace" where object == nil: namespace = member.value.string ?? ""
            case "resourceVersion": resourceVersion = member.value.string ?? ""
            case "annotations": endsInitialEvents = member.value["k8s.io/initial-events-end"]?.string == "true"
            default: break
            }
        }
    }
}
