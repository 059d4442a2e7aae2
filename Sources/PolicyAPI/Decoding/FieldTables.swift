import NetTypes

/// Every field table, by the kinds of objects it belongs to. docs/reference/support-matrix.md is generated from it, and a
/// test tries each field at each path of its table.
enum FieldTables {
    /// The tables of kinds that share their types.
    struct Section {
        /// What it is about.
        let title: String
        /// The kinds whose objects have the tables' paths.
        let kinds: [KnownKind]
        /// An introduction for the reference page.
        var intro = ""
        /// The tables, the outer types first.
        let tables: [FieldTable]
    }

    /// In the order of the reference.
    static let sections =
        [
            Section(
                title: "Every policy, and CiliumCIDRGroup", kinds: KnownKind.allCases.filter(\.hasFieldTables),
                tables: [ObjectHeader.metadataTable]),
            Section(
                title: "Selectors", kinds: [.networkPolicy],
                intro: "Label selectors have the same fields everywhere; this is one of their paths.",
                tables: [LabelSelector.table, LabelSelector.expressionTable]),
            Section(
                title: "NetworkPolicy", kinds: [.networkPolicy],
                tables: [
                    NetworkPolicy.table, NetworkPolicy.specTable, NetworkPolicyRule.ingressTable,
                    NetworkPolicyRule.egressTable, NetworkPolicyPeer.table, NetworkPolicyPeer.blockTable,
                    NetworkPolicyPort.table,
                ]),
            Section(
                title: "CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy",
                kinds: [.ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy],
                intro: "Every field of `spec` is also allowed in each element of `specs`.",
                tables: [CiliumPolicy.table, CiliumRule.table, CiliumRule.defaultDenyTable, CiliumRule.logTable]
                    + ElementList.allCases.map(\.table) + [
                        CIDRRule.table, ServiceReference.table, ServiceReference.namedTable,
                        ServiceReference.selectedTable, FQDNSelector.table, ICMPField.ruleTable, ICMPField.table,
                        PortRule.table, PortRule.denyTable, PortProtocol.table, PortRule.rulesTable, HTTPRule.table,
                        HeaderMatch.table, HeaderMatch.secretTable,
                    ]),
            Section(
                title: "CiliumCIDRGroup", kinds: [.ciliumCIDRGroup], tables: [CIDRGroup.table, CIDRGroup.specTable]),
        ] + ClusterPolicy.Kind.allCases.map(clusterPolicies)

    private static func clusterPolicies(_ kind: ClusterPolicy.Kind) -> Section {
        let outer = [ClusterPolicy.table, ClusterPolicy.specTables[kind], PodSelection.subjectTable].compactMap(\.self)
        let rules = Direction.allCases.compactMap { ClusterPolicyRule.tables[kind]?[$0] }
        let peers = Direction.allCases.map { ClusterPolicyPeer.table(kind, $0) } + [PodSelection.podsTable]
        return Section(
            title: kind.rawValue, kinds: [KnownKind(rawValue: kind.rawValue)].compactMap(\.self),
            tables: outer + rules + peers + ClusterPolicyPort.tables(kind))
    }
}
