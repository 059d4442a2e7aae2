import PolicyIR
import Testing

/// The table of spec/cilium-network-policy.md 4.5 and the edge cases of 19 that lowering decides.
struct CiliumLoweringTests {
    private func lower(
        egress: [CiliumElement] = [], egressDeny: [CiliumElement] = [], defaultDeny: Bool? = nil,
        _ objects: ClusterObjects = ClusterObjects()
    ) throws -> (DirectionRules?, LoweredPolicies) {
        var objects = objects
        objects.ciliumPolicies = [
            cilium(
                "shop", "policy",
                CiliumRule(
                    subject: .endpoints(selector()), egress: egress, egressDeny: egressDeny,
                    defaultDenyEgress: defaultDeny))
        ]
        let lowered = PolicyLowering.lower(objects)
        return (try #require(lowered.policies.first).egress, lowered)
    }

    @Test("an element without members selects nothing and isolates")
    func emptyElement() throws {
        #expect(try lower(egress: [element()]).0 == DirectionRules(isolates: true, rules: []))
    }

    @Test("a direction without elements says nothing")
    func noElements() throws {
        let (egress, lowered) = try lower(egress: [element()])
        #expect(egress != nil)
        #expect(lowered.policies[0].ingress == nil)
    }

    @Test("enableDefaultDeny false keeps the rules without isolating; true without elements has no effect")
    func defaultDeny() throws {
        #expect(try lower(egress: [element()], defaultDeny: false).0?.isolates == false)
        #expect(try lower(egressDeny: [element()]).0?.isolates == true)
        #expect(try lower(defaultDeny: true).0 == nil)
    }

    @Test(
        "a peer list that is written but empty selects nobody, even with ports",
        arguments: ["endpoints", "nodes", "entities", "cidrs", "cidrSet", "services", "fqdns"])
    func emptyPeers(member: String) throws {
        let rules = try lower(
            egress: [
                element {
                    $0.toPorts = .some([tcp(443)])
                    switch member {
                    case "endpoints": $0.endpoints = .empty
                    case "nodes": $0.nodes = .empty
                    case "entities": $0.entities = .empty
                    case "cidrs": $0.cidrs = .empty
                    case "cidrSet": $0.cidrSet = .empty
                    case "services": $0.services = .empty
                    default: $0.fqdns = .empty
                    }
                }
            ]
        ).0?.rules
        #expect(rules?.map(\.peers) == [.anyOf([])])
    }

    @Test("ports or icmps without peers are about everyone")
    func wildcardPeers() throws {
        let rules = try lower(egress: [
            element { $0.toPorts = .some([tcp(443)]) },
            element { $0.icmps = .some([ICMPField(protocol: .icmp, type: 0)]) },
        ]).0?.rules
        #expect(rules?.map(\.peers) == [.everyone, .everyone])
        // Type 0 is echo reply alone, not a wildcard.
        #expect(rules?.last?.traffic == .anyOf([.ports(.icmp, PortRange(0))]))
    }

    @Test(
        "peers without ports, or with an empty list of them, are about all traffic; an entry without ports about none")
    func traffic() throws {
        let rules = try lower(egress: [
            element { $0.entities = .some([.world]) },
            element {
                $0.entities = .some([.world])
                $0.toPorts = .empty
            },
            element {
                $0.entities = .some([.world])
                $0.toPorts = .some([PortRule(ports: [], path: "")])
            },
        ]).0?.rules
        #expect(rules?.map(\.traffic) == [.everything, .everything, .anyOf([])])
    }

    @Test("each toPorts entry is a rule of its own, with its own L7 conditions")
    func l7() throws {
        let rules = try lower(egress: [
            element {
                $0.toPorts = .some([tcp(80, http: .some([HTTPRule(method: "GET")])), tcp(81), tcp(82, http: .empty)])
            }
        ]).0?.rules
        #expect(rules?.map(\.l7) == [.http([HTTPRule(method: "GET")]), nil, .http([])])
    }

    @Test("denies come with their elements and without L7")
    func deny() throws {
        let rules = try lower(egressDeny: [element { $0.entities = .some([.world]) }]).0?.rules
        #expect(rules?.map(\.action) == [.deny])
    }

    @Test("toServices stands for the pods of the service, or for the addresses of one without selector")
    func services() throws {
        var objects = ClusterObjects()
        objects.services = [
            Service(metadata: ObjectMeta(name: "db", namespace: "data"), selector: ["app": "db"]),
            Service(metadata: ObjectMeta(name: "bank", namespace: "shop", labels: ["kind": "far"]), selector: [:]),
        ]
        let address = try #require(IPAddress(parsing: "192.0.2.9"))
        objects.endpointSlices = [
            EndpointSlice(
                metadata: ObjectMeta(name: "bank-1", namespace: "shop"), serviceName: "bank", addresses: [address])
        ]
        let (egress, lowered) = try lower(
            egress: [
                element { $0.services = .some([.named(name: "db", namespace: "")]) },
                element { $0.services = .some([.selected(selector("kind=far"), namespace: "shop")]) },
            ], objects)
        #expect(lowered.diagnostics.isEmpty)
        #expect(
            egress?.rules.map(\.peers) == [
                .anyOf([
                    .endpoints(
                        selector(
                            "k8s:app=db,k8s:io.cilium.k8s.policy.cluster=default,k8s:io.kubernetes.pod.namespace=data"))
                ]),
                .anyOf([.addresses(IPPrefix(host: address), except: [], .outsideCluster)]),
            ])
    }

    @Test("toServices that resolves to nothing selects nothing, even with ports, and says so")
    func unresolvedService() throws {
        let (egress, lowered) = try lower(egress: [
            element {
                $0.services = .some([.named(name: "db", namespace: "data")])
                $0.toPorts = .some([tcp(443)])
            }
        ])
        #expect(egress?.rules.map(\.peers) == [.anyOf([])])
        #expect(lowered.diagnostics.map(\.severity) == [.warning])
    }

    @Test("a CIDR group selects nothing where it allows, and refuses the object where it denies")
    func cidrGroups() throws {
        let group = element { $0.cidrSet = .some([CIDRRule(source: .group("office"))]) }
        let (allow, allowed) = try lower(egress: [group])
        #expect(allow?.rules.map(\.peers) == [.anyOf([])])
        #expect(allowed.diagnostics.map(\.severity) == [.warning])
        let (deny, denied) = try lower(
            egress: [element { $0.entities = .some([.all]) }], egressDeny: [group], defaultDeny: false)
        #expect(deny?.isolates == true)
        #expect(deny?.rules.map(\.action) == [.deny])
        #expect(deny?.rules.map(\.peers) == [.everyone])
        #expect(denied.diagnostics.map(\.severity) == [.error])
    }

    @Test("the entity all is everyone, whatever stands beside it")
    func everyone() throws {
        let (rules, _) = try lower(egress: [element { $0.entities = .some([.world, .all]) }])
        #expect(rules?.rules.map(\.peers) == [.everyone])
    }
}
