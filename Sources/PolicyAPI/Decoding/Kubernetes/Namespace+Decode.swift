extension Namespace {
    /// Reads a v1 Namespace.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Namespace {
        let syntax = { (name: String) in NameSyntax.dnsLabel(name) }
        var namespace = Namespace(
            metadata: ObjectHeader.metadata(object, .cluster, isPolicy: false, nameSyntax: syntax, &diagnostics))
        namespace.isTerminating = object["metadata"]?["deletionTimestamp"].map { !$0.isNull } ?? false
        return namespace
    }
}
