import NetTypes

extension CIDRGroup {
    static let table = FieldTable(
        "", rows: [.enforced("apiVersion", "kind", "metadata", "spec"), .metadata("status")])
    static let specTable = FieldTable("spec", rows: [.enforced("externalCIDRs")])

    /// Reads a CiliumCIDRGroup. A prefix that cannot be read refuses the group (Cilium skips it with a warning): a deny that
    /// refers to the group would otherwise let it pass.
    static func decode(_ object: DocumentNode, _ diagnostics: inout DiagnosticCollector) -> CIDRGroup {
        var group = CIDRGroup(
            metadata: ObjectHeader.metadata(object, .cluster, isPolicy: true, &diagnostics), prefixes: [])
        guard let fields = table.read(object, &diagnostics) else { return group }
        guard let spec = fields["spec"] else {
            diagnostics.error(.missingField, object, "the group has no spec", "write spec: with externalCIDRs")
            return group
        }
        guard let inside = specTable.read(spec, &diagnostics) else { return group }
        guard let list = inside["externalCIDRs"] else {
            diagnostics.error(
                .missingField, spec, "`externalCIDRs` is missing", "list prefixes; `[]` is a group without addresses")
            return group
        }
        group.prefixes = (diagnostics.list(list) ?? []).compactMap { IPPrefix.decode($0, &diagnostics) }
        return group
    }
}
