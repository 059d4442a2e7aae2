extension ElsewhereRows {
    private static func row(_ title: String, _ place: Place) -> (row: SpecRow, place: Place) {
        (SpecRow(table: .clusterPolicy, title: title), place)
    }

    private static func old(_ title: String, _ place: Place) -> (row: SpecRow, place: Place) {
        (SpecRow(table: .adminPolicy, title: title), place)
    }

    private static func decoded(_ names: String...) -> Place {
        .tests("PolicyIRTests/ClusterPolicy/ClusterPolicyDecodeTests.swift", names)
    }

    private static func evaluated(_ names: String...) -> Place {
        .tests("PolicyIRTests/ClusterPolicy/ClusterPolicyEvaluationTests.swift", names)
    }

    private static func upstream(_ names: String...) -> Place {
        .tests("PolicyIRTests/ClusterPolicy/UpstreamClusterPolicyTests.swift", names)
    }

    /// Sections 2.1 and 2.2: the tests of Tests/PolicyIRTests/ClusterPolicy.
    static let clusterPolicies: [(row: SpecRow, place: Place)] = [
        row("Scope", decoded("an object without spec or name is an error; a namespace has no effect")),
        row("tier", upstream("Admin, then NetworkPolicy, then Baseline")),
        row("priority", upstream("the lower priority number is asked first")),
        row("Rule order", upstream("one protocol: order, then ports, for Accept, Deny and Pass")),
        row("Isolation", evaluated("there is no isolation: a policy that matches nothing changes nothing")),
        row("subject", evaluated("hostNetwork pods are neither subjects nor peers by namespaces and pods")),
        row(
            "ingress[], egress[]",
            decoded("lists have the API's limits: 25 of everything, and names 100 characters")),
        row("Accept", evaluated("an accept on egress does not bypass the destination's ingress policies")),
        row("Deny", upstream("both directions and all protocols in one policy")),
        row(
            "Pass",
            evaluated(
                "Pass in Admin leaves the rest of the tier, other policies' too; in Baseline it goes to the default")),
        row("no match", evaluated("there is no isolation: a policy that matches nothing changes nothing")),
        row("NetworkPolicy tier", upstream("Admin, then NetworkPolicy, then Baseline")),
        row("Ingress peers", decoded("rules, peers and ports have the API's rules")),
        row(
            "Egress peers",
            evaluated(
                "networks match ICMP, nodes and what is outside; each only its family",
                "nodes: {} is every node, the own one too; labels choose among them")),
        row(
            "Unknown or empty peer",
            .tests(
                "PolicyIRTests/ClusterPolicy/ClusterPolicyRefusalTests.swift",
                [
                    "denies everything at its priority in a direction where it may deny",
                    "is nothing where it only accepts: it never isolates, and what is behind it decides",
                ])),
        row("protocols[]", evaluated("a named port is any protocol's, looked up on the destination")),
        row("Trap: omitted destinationPort", decoded("rules, peers and ports have the API's rules")),
        row("CEL", decoded("rules, peers and ports have the API's rules")),
        row(
            "domainNames",
            evaluated("domainNames match what DNS has given; *. is one or more labels, never the apex")),
        row("Hairpin", evaluated("a pod reaches itself on its own address, whatever denies")),
        row("Status", .none("conditions are written by whoever watches the API server; netpold reads manifests")),
        row("Features", .none("which features an implementation claims is upstream's report, no behaviour")),
        row("Open", evaluated("no ingress rule keeps the own node from its pods: its peers are pods only")),
        old(
            "AdminNetworkPolicy",
            decoded("AdminNetworkPolicy and BaselineAdminNetworkPolicy say the same in their own words")),
        old("ports[]", decoded("the older kinds have their own rules")),
        old("sameLabels, notSameLabels", decoded("the older kinds have their own rules")),
        old("BaselineAdminNetworkPolicy", decoded("the one BaselineAdminNetworkPolicy is called default")),
        old(
            "Mapping",
            evaluated("the one BaselineAdminNetworkPolicy is asked after the ClusterNetworkPolicies of its tier")),
    ]
}
