import Foundation
import KubeTestServer
import PolicyAPI
import Testing

/// The server answers recorded requests as the recorded kube-apiserver did, from the recorded objects.
struct RecordedAnswersTests {
    /// Headers in which clients differ by what they say. The others are of the connection or of the day.
    private static let headers = [
        "content-type", "cache-control", "retry-after", "x-content-type-options", "warning", "content-encoding", "vary",
    ]

    /// A server with the recorded objects and users.
    static func server() async throws -> TestAPIServer {
        var settings = TestAPIServer.Settings()
        settings.tokens = [
            "kas-admin-token": .admin, "admin-token": .admin,
            "kas-nobody-token": APIUser(name: "kas-nobody", rules: []),
            "kas-netpold-token": APIUser(
                name: "kas-netpold",
                rules: [
                    APIUser.Rule(
                        verbs: ["get", "list", "watch"], resources: ["pods", "ciliumnetworkpolicies.cilium.io"]),
                    APIUser.Rule(verbs: ["patch"], resources: ["ciliumnetworkpolicies.cilium.io/status", "events"]),
                    APIUser.Rule(verbs: ["create"], resources: ["events", "events.events.k8s.io"]),
                ]),
        ]
        settings.freshnessWait = .milliseconds(20)
        settings.firstVersion = 200
        let server = try await TestAPIServer.start(settings)
        // Of these nothing was left out by the recorder.
        for name in [
            "b/01-list-limit10.", "b/01-list-limit10-page2", "b/01-list-limit10-page3", "b/01-list-limit10-page4",
            "b/26",
            "b/25", "b/19", "b/20", "b/21", "b/22", "b/23",
        ] {
            try server.apply(Recording(name).answer.text)
        }
        for name in ["shop", "production", "doomed"] {
            try server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: \(name)}}")
        }
        try server.apply(
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: endport-sctp, namespace: shop}, spec: {podSelector: {}}}"
        )
        return server
    }

    /// Text in which versions, times and tokens are no longer told apart.
    static func normalised(_ text: String) -> String {
        text.replacing(/[0-9]+/, with: "#")
            .replacing(/"continue":"[A-Za-z0-9#_-]+"/, with: "\"continue\":\"TOKEN\"")
    }

    private func compare(_ recording: Recording, _ answer: RawAnswer) {
        #expect(answer.status == recording.answer.status, "\(recording.name)")
        for name in RecordedAnswersTests.headers {
            #expect(answer.header(name) == recording.answer.header(name), "\(recording.name): \(name)")
        }
        // A part that the recorder has left out may be what needed chunks.
        guard !recording.isTrimmed else { return }
        let isChunked = { (answer: RawAnswer) in answer.header("transfer-encoding") != nil }
        #expect(isChunked(answer) == isChunked(recording.answer), "\(recording.name): chunks")
        #expect(answer.isComplete, "\(recording.name)")
        let wanted = RecordedAnswersTests.normalised(recording.answer.text)
        let got = RecordedAnswersTests.normalised(answer.text)
        #expect(got == wanted, "\(recording.name)")
    }

    @Test(arguments: [
        // Lists: order, shape and versions.
        "b/02", "b/05", "b/06", "b/13", "b/16", "b/18", "b/19", "b/20", "b/21", "b/22", "b/23", "b/25", "b/26", "b/29",
        // Lists that are refused.
        "b/03", "b/04", "b/08", "b/09", "b/10", "b/14", "b/15", "b/17",
        // Who may what.
        "e/01", "e/02", "e/03", "e/04", "e/06", "e/10b", "d/16", "d/17", "g/12", "f/02b",
        // What is not there.
        "e/07", "e/08", "e/09", "e/10-", "e/29", "e/30", "f/01", "f/02-", "g/13", "g/14",
        // Watches that are refused.
        "d/02e", "d/07", "e/32",
        // Writes that are refused.
        "e/27", "e/26", "g/06", "g/07", "g/09", "g/10", "h/03", "h/06",
        // Discovery and health.
        "a/14", "a/15",
    ])
    func answers(_ name: String) async throws {
        let recording = try Recording(name)
        let server = try await RecordedAnswersTests.server()
        let answer = try await RawClient.send(recording.request, to: server.port).answer
        compare(recording, answer)
        await server.stop()
    }

    @Test func pagesOfAList() async throws {
        let server = try await RecordedAnswersTests.server()
        var next = ""
        for name in [
            "b/01-list-limit10.", "b/01-list-limit10-page2", "b/01-list-limit10-page3", "b/01-list-limit10-page4",
        ] {
            let recording = try Recording(name)
            let answer = try await RawClient.get("/api/v1/pods?limit=10\(next)", from: server).answer
            compare(recording, answer)
            let token = answer.text.firstMatch(of: /"continue":"([A-Za-z0-9_-]+)"/)?.1
            next = token.map { "&continue=\($0)" } ?? ""
        }
        #expect(next.isEmpty)
        await server.stop()
    }

    /// The status of a policy: merge patch, apply by two managers, conflict, force, and what merge patches then wipe.
    @Test func patchesOfAStatus() async throws {
        let server = try await RecordedAnswersTests.server()
        for name in ["g/01", "g/02", "g/03", "g/04", "g/05", "g/15"] {
            let recording = try Recording(name)
            let answer = try await RawClient.send(recording.request, to: server.port).answer
            #expect(answer.status == recording.answer.status, "\(name)")
            #expect(answer.header("warning") == recording.answer.header("warning"), "\(name)")
            #expect(status(answer.text) == status(recording.answer.text), "\(name)")
        }
        await server.stop()
    }

    /// What follows `"status":` in an object, or a whole Status.
    private func status(_ text: String) -> String {
        let plain = RecordedAnswersTests.normalised(text)
        return plain.components(separatedBy: "\"status\":{").last ?? plain
    }

    @Test(arguments: ["d/02-", "d/02c", "d/02g", "d/03", "d/04", "d/06", "d/08-"])
    func watches(_ name: String) async throws {
        let recording = try Recording(name)
        let server = try await RecordedAnswersTests.server()
        // Objects that were made after the lists were recorded.
        for line in recording.answer.lines where !recording.isTrimmed && line.hasPrefix("{\"type\":\"ADDED\"") {
            try server.apply(String(line.dropFirst("{\"type\":\"ADDED\",\"object\":".count).dropLast()))
        }
        // The recorded timeouts are seconds; nothing else depends on them.
        let request = String(decoding: recording.request, as: UTF8.self)
            .replacing(/timeoutSeconds=[0-9]+/, with: "timeoutSeconds=1")
            .replacing(/resourceVersion=100[0-9]+/, with: "resourceVersion=100000")
            .replacing("resourceVersion=409", with: "resourceVersion=\(server.version)")
        let answer = try await RawClient.send(request, to: server.port).answer
        #expect(answer.status == recording.answer.status)
        #expect(answer.header("transfer-encoding") == "chunked")
        #expect(answer.isComplete)
        if !recording.isTrimmed {
            #expect(
                answer.lines.map { RecordedAnswersTests.normalised($0) }
                    == recording.answer.lines.map { RecordedAnswersTests.normalised($0) })
        }
        await server.stop()
    }

    @Test func tooOldIsAnErrorEventOnAWatchAnd410OnAList() async throws {
        let server = try await RecordedAnswersTests.server()
        server.forgetHistory(compacts: true)
        let watch = try await RawClient.get("/api/v1/pods?watch=1&resourceVersion=150&timeoutSeconds=3", from: server)
        let recorded = try Recording("b/46")
        #expect(watch.answer.status == recorded.answer.status && watch.answer.isComplete && watch.isClean)
        #expect(
            RecordedAnswersTests.normalised(watch.answer.text) == RecordedAnswersTests.normalised(recorded.answer.text))
        for (path, name) in [
            ("/api/v1/pods?resourceVersion=150&resourceVersionMatch=Exact&limit=1", "b/45"),
            (
                "/api/v1/pods?limit=5&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTUwLCJzdGFydCI6Ii9wcm9kdWN0aW9uL2FwaS1zZXJ2ZXItMFx1MDAwMCJ9",
                "b/43"
            ),
        ] {
            compare(try Recording(name), try await RawClient.get(path, from: server).answer)
        }
        // The token of that answer goes on inconsistently.
        let gone = try Recording("b/44")
        let path = String(decoding: gone.request, as: UTF8.self).split(separator: " ")[1]
        let rest = try await RawClient.get(String(path), from: server).answer
        #expect(rest.code == 200 && rest.text.contains("remainingItemCount"))
        await server.stop()
    }
}
