import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// Services with more addresses than a node's tables hold: those of the namespace that has most are left out.
@Suite struct ServiceRoomTests {
    private static func service(
        _ namespace: String, _ name: String, cluster: UInt32, external: Range<UInt32> = 0..<0, ports: UInt16 = 1
    ) -> Service {
        var service = Service(metadata: ObjectMeta(name: name, namespace: namespace), selector: ["app": name])
        service.clusterIPs = [IPAddress(ipv4: 0x0a60_0000 + cluster)]
        service.externalIPs = external.map { IPAddress(ipv4: 0xc633_0000 + $0) }
        service.ports = (0..<ports).map {
            ServicePort(name: "p\($0)", protocol: .tcp, port: 80 + $0, target: .number(8080))
        }
        return service
    }

    private static func cluster(_ services: [Service]) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.services = services
        return objects
    }

    private static func addresses(_ resolver: ServiceResolver, _ service: Service) -> Set<IPAddress> {
        Set(resolver.frontends(of: ServiceName(service)).map(\.address))
    }

    @Test("four Services of 70,000 external IPs: they keep their cluster IPs, and others have all of their addresses")
    func flood() {
        let flood = (0..<4).map { number in
            Self.service(
                "evil", "s\(number)", cluster: number, external: (number + 1) * 70_000..<(number + 2) * 70_000)
        }
        let other = Self.service("shop", "web", cluster: 9, external: 1..<100)
        let resolver = ServiceResolver(Self.cluster(flood + [other]), localNode: "m")
        #expect(Self.addresses(resolver, other).count == 100)
        for service in flood { #expect(Self.addresses(resolver, service) == Set(service.clusterIPs)) }
        #expect(Set(resolver.allFrontends().frontends.map(\.address)).count <= 65_536)
        let message = resolver.diagnostics.first?.message ?? ""
        #expect(resolver.diagnostics.map(\.id) == [.servicesLeftOut])
        #expect(message.hasPrefix("no room for addresses of Services (70000 external IPs of evil/s0, "), "\(message)")
        // What nobody translates is no Service's for the evaluator either.
        let evaluator = ReferenceEvaluator(Self.cluster(flood), policies: [], localNode: "m")
        let key = ServiceFrontend.Key(address: flood[0].externalIPs[0], port: 80, protocol: .tcp)
        #expect(evaluator.services.frontend(key) == nil)
    }

    @Test("60,000 external IPs with 5,000 ports each are left out without a list of all of them")
    func product() {
        let many = Self.service("evil", "many", cluster: 1, external: 0..<60_000, ports: 5_000)
        let other = Self.service("shop", "web", cluster: 2, external: 70_000..<70_040)
        let resolver = ServiceResolver(Self.cluster([many, other]), localNode: "m")
        #expect(Self.addresses(resolver, many) == Set(many.clusterIPs))
        #expect(Self.addresses(resolver, other).count == 41)
    }

    @Test("many ports at few addresses are left out too, and external IPs before cluster IPs")
    func ports() {
        let limits = ServiceRoom.Limits(addresses: 100, frontends: 200)
        let many = Self.service("evil", "many", cluster: 1, external: 0..<10, ports: 30)
        let other = Self.service("shop", "web", cluster: 2, external: 20..<40)
        let resolver = ServiceResolver(Self.cluster([many, other]), localNode: "m", room: limits)
        #expect(Self.addresses(resolver, many) == Set(many.clusterIPs))
        #expect(Self.addresses(resolver, other).count == 21)
    }

    @Test("whichever way Services come and go, the same are left out, and those that have room again come back")
    func changes() {
        let limits = ServiceRoom.Limits(addresses: 30, frontends: 60)
        for seed in 0..<20 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var all: [ServiceName: Service] = [:]
            var resolver = ServiceResolver(ClusterObjects(), localNode: "m", room: limits)
            var made: [ServiceName: [ServiceFrontend]] = [:]
            var sizes: Set<Int> = []
            for _ in 0..<60 {
                let start = UInt32(random.below(40))
                let service = Self.service(
                    random.pick(["a", "b", "c"]), "s\(random.below(4))", cluster: UInt32(random.below(20)),
                    external: start..<start + UInt32(random.below(15)), ports: UInt16(1 + random.below(3)))
                let name = ServiceName(service)
                all[name] = random.once(in: 3) ? nil : service
                resolver.set(name, all[name])
                for stale in resolver.takeStale().services { made[stale] = resolver.frontends(of: stale) }
                let scratch = ServiceResolver(
                    Self.cluster(all.values.shuffled(using: &random)), localNode: "m", room: limits)
                for name in all.keys { #expect(made[name] == scratch.frontends(of: name), "\(name)") }
                #expect(resolver.diagnostics == scratch.diagnostics)
                sizes.insert(resolver.diagnostics.count)
                #expect(Set(scratch.allFrontends().frontends.map(\.address)).count <= 30)
            }
            #expect(sizes == [0, 1])
        }
    }
}
