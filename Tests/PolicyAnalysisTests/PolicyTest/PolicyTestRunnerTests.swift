import NetpoldTestSupport
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import Testing

struct PolicyTestRunnerTests {
    /// Answers everything the same.
    private struct Constant: FlowDecider {
        var verdict: FlowAnswer.Verdict
        func answer(_ flow: Flow) throws -> FlowAnswer { FlowAnswer(egress: .allow, ingress: verdict) }
    }

    private struct Broken: FlowDecider {
        struct Failure: Error {}
        func answer(_ flow: Flow) throws -> FlowAnswer { throw Failure() }
    }

    private let pods = [
        pod("a/x", "", ["10.0.0.1"]), pod("a/y", "", ["10.0.0.2"]), pod("a/z", "", [], hostNetwork: true),
    ]

    /// Decides every request the same, or none.
    private struct Answerer: RequestAnswerer {
        var permits: Bool?
        func permits(_ request: L7Request, in flow: Flow) throws -> Bool? { permits }
    }

    private func run(
        _ spec: String, _ decider: any FlowDecider, requests: (any RequestAnswerer)? = nil, pods: [Pod]? = nil
    ) throws -> PolicyTestResult {
        let text = "apiVersion: netpold.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n  \(spec)\n"
        let test = try #require(
            PolicyTestDecoder.decode(DocumentReader.read(Array(text.utf8), file: "t").documents).tests.first)
        var objects = ClusterObjects()
        objects.pods = pods ?? self.pods
        return PolicyTestRunner(test, evaluator: evaluator(objects)).run(
            with: decider, objects: objects, requests: requests)
    }

    @Test(
        "an end may stand for several, and a port may be a name: what is expected must hold for each flow; what there is not is a mistake"
    )
    func several() throws {
        let manifests = """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: shop}
            spec: {replicas: 2, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: db, namespace: shop}
            status: {podIP: 10.1.0.1}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: db, namespace: shop}
            spec:
              podSelector: {}
              policyTypes: [Egress]
              egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}, {to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]
            """
        var decoder = ManifestDecoder(readsWorkloads: true)
        decoder.add(Array(manifests.utf8), file: "m")
        var decoded = decoder.finish()
        decoded.addSyntheticPods()
        func run(_ fields: String) throws -> PolicyTestResult {
            let text =
                "apiVersion: netpold.dev/v1alpha1\nkind: PolicyTest\nspec: {cases: [{protocol: TCP, \(fields)}]}\n"
            let test = try #require(
                PolicyTestDecoder.decode(DocumentReader.read(Array(text.utf8), file: "t").documents).tests.first)
            let evaluator = ReferenceEvaluator(
                decoded.objects, policies: PolicyLowering.lower(decoded.objects).policies)
            return PolicyTestRunner(test, evaluator: evaluator).run(with: evaluator, objects: decoded.objects)
        }
        let both = try run("from: shop/db, to: deploy/web, port: http, expect: allow")
        #expect(both.passed && both.flows == 2)
        #expect(both.cases.map(\.name) == ["shop/db -> deploy/web http/TCP"])
        #expect(try run("from: shop/db, to: deploy/web, port: 80, expect: deny").passed)
        #expect(try run("from: deploy/shop/web, to: 'ip:192.0.2.0/25', port: 80, expect: allow").passed)
        // Of the world one part is allowed and one is not.
        for expected in ["allow", "deny"] {
            let mixed = try run("from: shop/db, to: world, port: 80, expect: \(expected)")
            #expect(!mixed.passed && !mixed.isMistaken && mixed.failures.count < mixed.flows)
        }
        for wrong in ["to: deploy/wbe, port: 80", "to: deploy/web, port: htpt", "to: shop/wbe-1, port: http"] {
            let result = try run("from: shop/db, \(wrong), expect: allow")
            #expect(result.isMistaken)
            #expect(result.failures.first?.difference.contains("so it cannot be decided; expected is allow") == true)
        }
    }

    private static let plain =
        "cases: [{from: a/x, to: a/y, protocol: TCP, port: 80, expect: allow, egress: allow, ingress: allow}]"
    private static let request =
        "cases: [{from: a/x, to: a/y, protocol: TCP, port: 80, http: {method: GET}, expect: deny, ingress: allow}]"

    @Test("a connection that a proxy takes over counts as allowed; a request in it is decided, or counted as not asked")
    func l7() throws {
        let connection = try run(PolicyTestRunnerTests.plain, Constant(verdict: .l7))
        #expect(connection.passed)
        #expect(connection.requestsNotAsked == 0)
        let asked = try run(PolicyTestRunnerTests.request, Constant(verdict: .l7))
        #expect(asked.failures.map(\.expected) == ["deny"])
        #expect(asked.failures.map(\.request) == [.http(HTTPRequest())])
        let notAsked = try run(PolicyTestRunnerTests.request, Constant(verdict: .l7), requests: Answerer())
        #expect(notAsked.passed)
        #expect(notAsked.requestsNotAsked == 1)
    }

    @Test("whoever decides requests is asked wherever one can be sent, also where the connection is plainly allowed")
    func answerer() throws {
        for verdict in [FlowAnswer.Verdict.l7, .allow] {
            let denied = try run(
                PolicyTestRunnerTests.request, Constant(verdict: verdict), requests: Answerer(permits: false))
            #expect(denied.passed)
            let allowed = try run(
                PolicyTestRunnerTests.request, Constant(verdict: verdict), requests: Answerer(permits: true))
            #expect(allowed.failures.map(\.actual) == ["allow"])
        }
        let closed = try run(PolicyTestRunnerTests.request, Constant(verdict: .deny), requests: Answerer(permits: true))
        #expect(closed.failures.map(\.expected) == ["ingress allow"])
    }

    @Test("a request is denied with its connection, and allowed where no L7 rule is met")
    func request() throws {
        #expect(
            try run(PolicyTestRunnerTests.request, Constant(verdict: .deny)).failures.map(\.expected) == [
                "ingress allow"
            ])
        #expect(try run(PolicyTestRunnerTests.request, Constant(verdict: .allow)).failures.map(\.expected) == ["deny"])
    }

    @Test("a wrong side is one failure, with what was expected and why it is so")
    func different() throws {
        let result = try run(PolicyTestRunnerTests.plain, Constant(verdict: .deny))
        #expect(result.failures.map(\.expected) == ["ingress allow"])
        #expect(result.failures.map(\.actual) == ["ingress deny"])
        #expect(result.failures.first?.reason.first == "ingress of a/y: allow")
    }

    @Test("a matrix is every ordered pair of different pods on the pod network")
    func matrix() throws {
        let spec = "matrix: [{traffic: 'TCP:80', denied: ['a/x>a/y']}]"
        let allowed = try run(spec, Constant(verdict: .allow))
        #expect(allowed.flows == 2)
        #expect(allowed.failures.map { "\($0.flow)" } == ["a/x -> a/y TCP 80"])
        #expect(try run(spec, Constant(verdict: .deny)).failures.map { "\($0.flow)" } == ["a/y -> a/x TCP 80"])
    }

    @Test(
        "a pair that no matrix has is a mistake, not denied",
        arguments: [("a/x>a/yy", "no pod a/yy"), ("a/x>a/z", "hostNetwork")])
    func absentPair(pair: String, message: String) throws {
        let result = try run("matrix: [{traffic: 'TCP:80', denied: ['\(pair)']}]", Constant(verdict: .allow))
        #expect(result.failures.count == 1 && result.isMistaken && result.flows == 3)
        #expect(result.failures.first?.difference.contains(message) == true, "\(result.failures)")
    }

    @Test("parts of a case that differ likewise are one failure; what cannot be told is named as written")
    func alike() throws {
        let several = try run(
            "cases: [{from: 'ip:10.0.0.0/24', to: a/x, protocol: TCP, port: 80, expect: deny}, {from: a/x, to: a/y, protocol: TCP, port: 80, expect: deny}]",
            Constant(verdict: .allow))
        #expect(several.failures.map { "\($0.flow.to)" } == ["a/x", "a/y"] && several.differing == several.flows)
        #expect(several.failures.first?.alike == several.flows - 2 && several.flows > 2)
        #expect(
            several.failures.first?.difference.hasSuffix("(and so do \(several.flows - 2) more of its parts)") == true)
        let unknown = try run(
            "cases: [{from: world, to: a/x, protocol: TCP, port: htp, expect: deny}]", Constant(verdict: .allow))
        #expect(unknown.failures.first?.written == "world -> a/x htp/TCP" && unknown.failures.first?.reason == [])
    }

    @Test("a matrix has no flows between pods without a family in common; a case that is one is a mistake")
    func families() throws {
        let pods = [pod("a/x", "", ["10.0.0.1"]), pod("a/y", "", ["fd00::1"]), pod("a/z", "", ["10.0.0.3"])]
        let matrix = try run(
            "matrix: [{traffic: 'TCP:80', denied: ['a/x>a/y']}]", Constant(verdict: .allow), pods: pods)
        #expect(matrix.passed && matrix.flows == 2)
        let single = try run(Self.plain, Constant(verdict: .allow), pods: pods)
        #expect(single.isMistaken)
    }

    @Test("a matrix without pods tests nothing, which is a mistake")
    func noPods() throws {
        let result = try run("matrix: [{traffic: 'TCP:80'}]", Constant(verdict: .allow), pods: [])
        #expect(!result.passed && result.isMistaken)
    }

    @Test("a kustomization's names are those of a test's matrices and written ends too")
    func renamed() throws {
        let text = """
            apiVersion: netpold.dev/v1alpha1
            kind: PolicyTest
            spec:
              cases: [{from: a/x, to: world, protocol: TCP, port: 80, expect: deny}]
              matrix: [{traffic: 'TCP:80', denied: ['a/x>a/y']}]
            """
        let test = try #require(
            PolicyTestDecoder.decode(DocumentReader.read(Array(text.utf8), file: "t").documents).tests.first
        ).calling(["a/x": "a/p-x"], unless: ["a/y"])
        #expect(test.cases.first?.written?.from == "a/p-x" && test.cases.first?.written?.to == "world")
        #expect(test.matrix.first?.denied == [.init(from: "a/p-x", to: "a/y")])
    }

    @Test("a decider that fails makes the flow undecidable, not passed")
    func broken() throws {
        #expect(try run(PolicyTestRunnerTests.plain, Broken()).failures.map(\.kind) == [.undecidable])
    }
}
