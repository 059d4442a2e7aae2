extension Namespace {
    /// Reads a v1 Namespace.
    static func decode(_ object: DocumentNode, _ findings: inout Findings) -> Namespace {
        let syntax = { (name: String) in NameSyntax.dnsLabel(name) }
        return Namespace(
            metadata: ObjectHeader.metadata(object, .cluster, isPolicy: false, nameSyntax: syntax, &findings))
    }
}
