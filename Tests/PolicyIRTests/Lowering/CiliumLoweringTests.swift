import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// The table of docs/spec/cilium-network-policy.md 4.5 and the edge cases of 19 that lowering decides.
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

    @Test("an element without fields selects nothing and isolates")
    func emptyElement() throws {
        #expect(try lower(egress: [element()]).0 == DirectionRules(isolates: true, rules: []))
    }

    @Test("a direction without elements has no effect")
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
        "an empty peer list selects nothing, even with ports",
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
                $0.toPorts = .some([
                    tcp(80, http: .some([Located(HTTPRule(method: "GET"))])), tcp(81), tcp(82, http: .empty),
                ])
            }
        ]).0?.rules
        #expect(rules?.map(\.l7) == [.http([Located(HTTPRule(method: "GET"))]), nil, .http([])])
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

    @Test(
        "toServices means the services of its namespace, or of all where it names none",
        arguments: [
            (.named(name: "db", namespace: ""), ["data", "shop"]), (.named(name: "db", namespace: "data"), ["data"]),
            (.selected(selector("kind=far"), namespace: ""), ["data", "shop"]),
            (.selected(selector("kind=far"), namespace: "shop"), ["shop"]),
            (.selected(selector("kind!=far"), namespace: ""), []), (.named(name: "db", namespace: "ops"), []),
        ] as [(ServiceReference, [String])])
    func serviceNamespaces(reference: ServiceReference, namespaces: [String]) throws {
        var objects = ClusterObjects()
        objects.services = ["data", "shop"].map {
            Service(
                metadata: ObjectMeta(name: "db", namespace: $0, labels: ["kind": "far"]), selector: ["app": "db"])
        }
        let (egress, lowered) = try lower(egress: [element { $0.services = .some([reference]) }], objects)
        #expect(
            egress?.rules.map(\.peers) == [
                .anyOf(
                    namespaces.map {
                        let labels = "k8s:app=db,k8s:io.cilium.k8s.policy.cluster=default"
                        return .endpoints(selector("\(labels),k8s:io.kubernetes.pod.namespace=\($0)"))
                    })
            ])
        #expect(lowered.diagnostics.isEmpty == !namespaces.isEmpty)
    }

    /// Two thousand prefixes under a name.
    private static func largeGroup() -> ClusterObjects {
        var objects = ClusterObjects()
        objects.cidrGroups = [
            CIDRGroup(
                metadata: ObjectMeta(name: "large"),
                prefixes: (0..<2_000).map { IPPrefix(host: IPAddress(ipv4: 0xc000_0000 + $0)) })
        ]
        return objects
    }

    @Test("a group that an element names a thousand times counts once")
    func repeatedGroup() throws {
        let repeated = Array(repeating: CIDRRule(source: .group("large")), count: 1_000)
        let (egress, lowered) = try lower(egress: [element { $0.cidrSet = .some(repeated) }], Self.largeGroup())
        let (once, _) = try lower(
            egress: [element { $0.cidrSet = .some([CIDRRule(source: .group("large"))]) }], Self.largeGroup())
        #expect(egress == once && lowered.diagnostics.isEmpty)
    }

    @Test(
        "an object of more than a million peers is refused and isolates, whether groups, exceptions or ports multiply them"
    )
    func tooManyPeers() throws {
        let one = element { $0.cidrSet = .some([CIDRRule(source: .group("large"))]) }
        let ports = (1...501).map { tcp(UInt16($0)) }
        let exceptions = (0..<600).map { IPPrefix(host: IPAddress(ipv4: 0xc000_0000 + $0)) }
        let many = [
            Array(repeating: one, count: 501),
            [
                element {
                    $0.cidrSet = .some([CIDRRule(source: .group("large"))])
                    $0.toPorts = .some(ports)
                }
            ],
            [element { $0.cidrSet = .some([CIDRRule(source: .group("large"), except: exceptions)]) }],
        ]
        for elements in many {
            let (_, lowered) = try lower(egress: elements, Self.largeGroup())
            #expect(lowered.diagnostics.map(\.id) == [.tooMany])
            #expect(lowered.policies.map(\.origin.isRefused) == [true])
        }
        let (egress, lowered) = try lower(egress: Array(repeating: one, count: 60), Self.largeGroup())
        #expect(lowered.diagnostics.isEmpty && egress?.rules.count == 60)
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

    /// `office` and `home` are of team red, `lab` of team blue.
    private func groups() throws -> ClusterObjects {
        var objects = ClusterObjects()
        objects.cidrGroups = try [
            ("office", "team=red", ["192.0.2.0/24", "2001:db8::/32"]),
            ("home", "team=red,far=yes", ["198.51.100.0/24"]),
            ("lab", "team=blue", []),
        ].map { name, text, prefixes in
            CIDRGroup(metadata: ObjectMeta(name: name, labels: labels(text)), prefixes: try prefixes.map(prefix))
        }
        return objects
    }

    private func peers(_ source: CIDRRule.Source, except: [IPPrefix] = []) throws -> ([Peer], [Diagnostic]) {
        let (egress, lowered) = try lower(
            egress: [element { $0.cidrSet = .some([CIDRRule(source: source, except: except)]) }], groups())
        guard case .anyOf(let peers)? = egress?.rules.first?.peers else { return ([], lowered.diagnostics) }
        return (peers, lowered.diagnostics)
    }

    @Test(
        "cidrGroupRef means the prefixes of the group, outside the cluster, without the exceptions (row 47)")
    func groupByName() throws {
        let except = [try prefix("192.0.2.128/25")]
        let (peers, diagnostics) = try peers(.group("office"), except: except)
        #expect(
            peers == [
                .addresses(try prefix("192.0.2.0/24"), except: except, .outsideCluster),
                .addresses(try prefix("2001:db8::/32"), except: except, .outsideCluster),
            ])
        #expect(diagnostics.isEmpty)
    }

    @Test(
        "cidrGroupSelector means the groups whose labels or name it matches (row 50)",
        arguments: [
            ("cidrgroup:team=red", ["192.0.2.0/24", "2001:db8::/32", "198.51.100.0/24"]),
            ("team!=blue,far", ["198.51.100.0/24"]),
            ("cidrgroup:io.cilium.policy.cidrgroupname/home", ["198.51.100.0/24"]),
            ("team=red,!far", ["192.0.2.0/24", "2001:db8::/32"]),
        ])
    func groupsByLabel(text: String, prefixes: [String]) throws {
        let (peers, diagnostics) = try peers(.groups(selector(text)))
        #expect(peers == (try prefixes.map { .addresses(try prefix($0), except: [], .outsideCluster) }))
        #expect(diagnostics.isEmpty)
    }

    @Test("a group without prefixes selects nothing, without a diagnostic")
    func emptyGroup() throws {
        #expect(try peers(.group("lab")) == ([], []))
    }

    @Test(
        "a missing group or service selects nothing in an allow rule, and refuses the object in a deny rule",
        arguments: ["cidrGroupRef", "cidrGroupSelector", "k8sService", "k8sServiceSelector"])
    func unknownReferences(form: String) throws {
        let missing = element {
            switch form {
            case "cidrGroupRef": $0.cidrSet = .some([CIDRRule(source: .group("garden"))])
            case "cidrGroupSelector": $0.cidrSet = .some([CIDRRule(source: .groups(selector("k8s:team=red")))])
            case "k8sService": $0.services = .some([.named(name: "db", namespace: "")])
            default: $0.services = .some([.selected(selector("team=red"), namespace: "shop")])
            }
            $0.toPorts = .some([tcp(443)])
        }
        let (allow, allowed) = try lower(egress: [missing], groups())
        #expect(allow?.rules.map(\.peers) == [.anyOf([])])
        #expect(allowed.diagnostics.map(\.severity) == [.warning])
        let (deny, denied) = try lower(
            egress: [element { $0.entities = .some([.all]) }], egressDeny: [missing], defaultDeny: false, groups())
        #expect(deny?.isolates == true)
        #expect(deny?.rules.map(\.action) == [.deny])
        #expect(deny?.rules.map(\.peers) == [.everyone])
        #expect(denied.diagnostics.map(\.id) == [.unresolved])
        #expect(denied.diagnostics.map(\.severity) == [.error])
    }

    @Test("the entity all is everyone, whatever stands beside it")
    func everyone() throws {
        let (rules, _) = try lower(egress: [element { $0.entities = .some([.world, .all]) }])
        #expect(rules?.rules.map(\.peers) == [.everyone])
    }
}
