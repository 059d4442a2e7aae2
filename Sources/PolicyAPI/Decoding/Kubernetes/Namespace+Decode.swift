extension Namespace {
    /// Reads a v1 Namespace.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> Namespace {
        let syntax = { (name: String) in NameSyntax.dnsLabel(name) }
        return Namespace(
            metadata: ObjectHeader.metadata(object, .cluster, isPolicy: false, nameSyntax: syntax, &diagnostics))
    }
}
