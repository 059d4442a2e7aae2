import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import Testing

@Suite("Flows to Services are explained by the endpoints that may be chosen")
struct ServiceExplanationTests {
    private static let cluster = """
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, status: {podIP: 10.0.0.1}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {app: db, open: "yes"}}, spec: {containers: [{ports: [{name: pg, containerPort: 5432}]}]}, status: {podIP: 10.0.0.2}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop, labels: {app: db}}, spec: {containers: [{ports: [{name: pg, containerPort: 5433}]}]}, status: {podIP: 10.0.0.3}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {clusterIP: 10.96.0.1, selector: {app: db}, ports: [{name: pg, port: 80, targetPort: pg}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: open, namespace: shop}, spec: {clusterIP: 10.96.0.2, selector: {open: "yes"}, ports: [{port: 80, targetPort: 5432}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: own, namespace: shop}, spec: {clusterIP: 10.96.0.3, selector: {app: web}, ports: [{port: 80, targetPort: 1}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: nobody, namespace: shop}, spec: {clusterIP: 10.96.0.4, selector: {app: nope}, ports: [{port: 80}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: names, namespace: shop}, spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: far, namespace: shop}, spec: {type: ExternalName, externalName: far.example}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: near, namespace: shop}, spec: {type: ExternalName, externalName: open.shop.svc.cluster.local}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: loop, namespace: shop}, spec: {type: ExternalName, externalName: loop.shop.svc}}
        ---

        """
    private static let policies = networkPolicy(
        "podSelector: {matchLabels: {app: db}}\npolicyTypes: [Ingress]\ningress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]"
    )

    private func evaluator() -> ReferenceEvaluator {
        var objects = decode(ServiceExplanationTests.cluster + ServiceExplanationTests.policies).objects
        objects.names = ["far.example": IPAddress(parsing: "192.0.2.1").map { [$0] } ?? []]
        return NetpoldTestSupport.evaluator(objects)
    }

    private func explain(_ to: String, _ port: UInt16 = 80, from: String = "shop/web") throws -> ServiceExplanation {
        let evaluator = evaluator()
        let flow = Flow(
            from: try #require(FlowEnd(parsing: from)), to: try #require(FlowEnd(parsing: to)), protocol: .tcp,
            port: port)
        return try evaluator.explain(try #require(try evaluator.route(flow)))
    }

    @Test("all, none, some, nobody: the verdict, in one line")
    func verdicts() throws {
        #expect(try explain("svc/open").headline == "ALLOWED shop/web -> svc/open TCP 80")
        #expect(try explain("svc/db").headline == "MIXED shop/web -> svc/db TCP 80: denied at 1 of 2 endpoints")
        #expect(
            try explain("svc/shop/open", from: "shop/b").headline
                == "DENIED shop/b -> svc/shop/open TCP 80, by the ingress policies of shop/a")
        #expect(
            try explain("svc/nobody").headline
                == "REJECTED shop/web -> svc/nobody TCP 80: Service shop/nobody has no endpoint that may be used, so the connection is refused"
        )
    }

    @Test("the Service, its frontend, the backends with their ports, and the rule")
    func lines() throws {
        let lines = try explain("ip:10.96.0.2").lines.map(\.text)
        #expect(
            lines == [
                "ALLOWED shop/web -> ip:10.96.0.2 TCP 80",
                "Service shop/open (p.yaml:9:1), cluster IP 10.96.0.2, is translated to its only endpoint; "
                    + "its port 80 is port 5432 of its pods, which policies are asked about",
                "  shop/a (10.0.0.2) TCP 5432: allow",
                "egress of shop/web: allow",
                "  no policy selects it for egress, so everything is allowed",
                "ingress of shop/a: allow",
                "  by rule 0: NetworkPolicy shop/p spec.ingress[0] (p.yaml:29:13)",
                "  no deny rule matches it",
            ])
    }

    @Test("a pod that reaches itself through its Service is not asked")
    func hairpin() throws {
        #expect(try explain("svc/own").verdict == .allow)
    }

    @Test("headless: the pods' addresses, and the port stays; alias: what it stands for, outside or a Service")
    func untranslated() throws {
        let headless = try explain("svc/names", 5432)
        #expect(headless.route.backends.map(\.backend.description) == ["10.0.0.2:5432", "10.0.0.3:5432"])
        #expect(headless.verdict == .allow)
        #expect(try explain("svc/names", 5433).verdict == .deny)
        let far = try explain("svc/far", 443)
        #expect(
            far.route.meaning == .alias("far.example")
                && far.route.backends.map(\.backend.description) == ["192.0.2.1:443"])
        #expect(try explain("svc/near").route.service.name == "open")
        #expect(throws: FlowError.unknownAlias("shop/loop", "loop.shop.svc")) { try explain("svc/loop") }
    }

    @Test("what cannot be asked says why")
    func errors() throws {
        #expect(throws: FlowError.unknownService("shop/no")) { try explain("svc/no") }
        #expect(throws: FlowError.unknownServicePort("shop/open", "81/TCP", "80/TCP, port 5432 of its pods")) {
            try explain("svc/open", 81)
        }
        #expect(throws: FlowError.namelessService("open")) { try explain("svc/open", from: "host") }
        #expect(throws: FlowError.outsideClient("ip:192.0.2.9")) { try explain("svc/shop/open", from: "ip:192.0.2.9") }
        #expect(throws: FlowError.misplacedService("svc/shop/open")) {
            try explain("svc/shop/open", from: "svc/shop/open")
        }
        let direct = Flow(from: .host, to: .service(namespace: "shop", name: "open"), protocol: .tcp, port: 80)
        #expect(throws: FlowError.misplacedService("svc/shop/open")) { try evaluator().decide(direct) }
    }

    @Test("an address is a Service's at its ports alone, and only for pods")
    func addresses() throws {
        let evaluator = evaluator()
        let address = try #require(FlowEnd(parsing: "ip:10.96.0.2"))
        let web = try #require(FlowEnd(parsing: "shop/web"))
        #expect(try evaluator.route(Flow(from: web, to: address, protocol: .tcp, port: 81)) == nil)
        #expect(try evaluator.route(Flow(from: web, to: address, protocol: .udp, port: 80)) == nil)
        #expect(try evaluator.route(Flow(from: .host, to: address, protocol: .tcp, port: 80)) == nil)
        #expect(try evaluator.route(Flow(from: web, to: address, protocol: .tcp, port: 80)) != nil)
    }

    @Test("svc/web is a pod of a namespace of that name where there is one")
    func namespaceCalledSvc() throws {
        var objects = decode(ServiceExplanationTests.cluster).objects
        objects.pods.append(pod("svc/db", "", ["10.0.0.9"]))
        let evaluator = NetpoldTestSupport.evaluator(objects)
        let flow = Flow(
            from: try #require(FlowEnd(parsing: "shop/web")), to: try #require(FlowEnd(parsing: "svc/db")),
            protocol: .tcp, port: 80)
        #expect(try evaluator.route(flow) == nil)
        #expect(try evaluator.explain(flow).ingress.subject == "svc/db")
    }

    @Test("tests of flows to Services: what is expected must hold at every endpoint")
    func policyTests() throws {
        func run(_ fields: String) throws -> [String] {
            let text =
                "apiVersion: netpold.dev/v1alpha1\nkind: PolicyTest\nspec: {cases: [{from: shop/web, protocol: TCP, \(fields)}]}\n"
            let test = try #require(
                PolicyTestDecoder.decode(DocumentReader.read(Array(text.utf8), file: "t").documents).tests.first)
            let evaluator = evaluator()
            return PolicyTestRunner(test, evaluator: evaluator).run(with: evaluator, objects: ClusterObjects()).failures
                .map { "\($0.expected): \($0.actual)" }
        }
        #expect(try run("to: svc/open, port: 80, expect: allow, egress: allow, ingress: allow") == [])
        #expect(try run("to: svc/db, port: 80, expect: allow") == ["allow: mixed, denied at shop/b"])
        #expect(try run("to: svc/db, port: 80, expect: deny") == ["deny: mixed, denied at shop/b"])
        #expect(try run("to: svc/db, port: 80, egress: allow") == [])
        #expect(try run("to: svc/db, port: 80, ingress: deny") == ["ingress deny: ingress mixed, denied at shop/b"])
        #expect(try run("to: svc/nobody, port: 80, expect: deny") == [])
        #expect(try run("to: svc/nobody, port: 80, expect: allow") == ["allow: rejected"])
        #expect(try run("to: svc/no, port: 80, expect: deny") == ["deny: there is no Service shop/no"])
    }
}
