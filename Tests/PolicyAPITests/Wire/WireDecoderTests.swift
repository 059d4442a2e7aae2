import Foundation
import NetpoldTestSupport
import PolicyAPI
import Testing

/// Objects as an API server sends them.
struct WireDecoderTests {
    private static let recordings = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "KubeRecordings")

    @Test("pods with equal labels and ports have them once in memory; an object in a table is a reference")
    func shared() throws {
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        func pod(_ name: String, _ app: String) throws -> Pod {
            let text = """
                {"metadata":{"name":"\(name)","namespace":"n","labels":{"app":"\(app)","tier":"web"}},"spec":{"containers":[
                {"name":"c","image":"i","ports":[{"containerPort":80}]}]},"status":{}}
                """
            let object = decoder.decode(Array(text.utf8)).object
            guard case .pod(let pod)? = object else { throw WireStringsError() }
            return pod
        }
        func place(_ labels: [String: String]) -> UInt { unsafeBitCast(labels, to: UInt.self) }
        let (one, two, three) = (try pod("a", "x"), try pod("b", "x"), try pod("c", "y"))
        #expect(
            one.metadata.labels == ["app": "x", "tier": "web"] && three.metadata.labels == ["app": "y", "tier": "web"])
        #expect(place(one.metadata.labels) == place(two.metadata.labels))
        #expect(place(one.metadata.labels) != place(three.metadata.labels))
        #expect(one.ports == two.ports && one.ports.map(\.port) == [80])
        #expect(MemoryLayout<ClusterObject>.size == MemoryLayout<UInt>.size)
    }

    private struct WireStringsError: Error {}

    /// The body of a recorded answer, its chunks joined.
    static func body(_ name: String) throws -> [UInt8] {
        let bytes = [UInt8](try Data(contentsOf: recordings.appending(path: name)))
        let text = String(decoding: bytes, as: UTF8.self)
        let response = text.components(separatedBy: "### response ###\n")[1].components(separatedBy: "\n### end: ")[0]
        let parts = response.components(separatedBy: "\r\n\r\n")
        var rest = Array(parts.dropFirst().joined(separator: "\r\n\r\n").utf8)[...]
        guard parts[0].contains("chunked") else { return Array(rest) }
        var body: [UInt8] = []
        while let end = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16), size > 0
        {
            rest = rest[end.upperBound...]
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return body
    }

    /// The items of a list.
    static func items(_ bytes: [UInt8]) throws -> [[UInt8]] { try ListItemsTests.read(bytes) }

    /// The items of a list of which the recorder may have left out the end, those before.
    static func firstItems(_ name: String) throws -> [[UInt8]] {
        let whole = try body(name)
        if let items = try? items(whole) { return items }
        var text = Array(whole.split(separator: Array("### trimmed".utf8), maxSplits: 1)[0])
        // Up to the end of the last whole item: what is behind it makes no list with the end of one.
        while let end = text.lastIndex(of: UInt8(ascii: "}")) {
            if let items = try? items(Array(text[...end]) + Array("]}".utf8)) { return items }
            text = Array(text[..<end])
        }
        return []
    }

    static func pods() throws -> [[UInt8]] {
        try [
            "b/01-list-limit10.http", "b/01-list-limit10-page2.http", "b/01-list-limit10-page3.http",
            "b/01-list-limit10-page4.http",
        ].flatMap { try items(try body($0)) }
    }

    @Test func recordedObjectsAreReadInOnePass() throws {
        let pods = try WireDecoderTests.pods()
        #expect(pods.count == 33)
        let sample = [UInt8](try Data(contentsOf: WireDecoderTests.recordings.appending(path: "p-pod-sample.json")))
        var all = (pods + [sample]).map { (WireLaws.kinds[0], $0) }
        for (file, kind) in [
            ("b/28-namespaces", 1), ("b/27-nodes", 2), ("b/26-services", 3), ("b/25-endpointslices", 4),
        ] {
            let items = try WireDecoderTests.firstItems("\(file).http")
            #expect(!items.isEmpty, "\(file)")
            all += items.map { (WireLaws.kinds[kind], $0) }
        }
        for (kind, bytes) in all {
            var decoder = WireDecoder(kind: kind.kind, apiVersion: kind.apiVersion)
            try WireLaws.agree(bytes, &decoder, kind: kind.kind, apiVersion: kind.apiVersion)
            let object = decoder.decode(bytes)
            #expect(decoder.exactCount == 0, "\(kind) \(object.name)")
            #expect(object.object != nil && object.diagnostics.isEmpty)
            #expect(!object.name.isEmpty && Int(object.resourceVersion) != nil)
        }
    }

    @Test func whatPoliciesUseOfAPodIsThere() throws {
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        let text = """
            {"metadata":{"name":"a","namespace":"shop","uid":"u","resourceVersion":"7","deletionTimestamp":"2026-01-01T00:00:00Z",\
            "labels":{"app":"web","ka":"\\u00e9"},"annotations":{"kubernetes.io/config.hash":"h","x":"y"},\
            "ownerReferences":[{"kind":"ReplicaSet","name":"r","uid":"z"}],"managedFields":[{"a":{"k:{\\"n\\":\\"c\\"}":{}}}]},\
            "spec":{"nodeName":"node-a","serviceAccountName":"sa","hostNetwork":true,"initContainers":[\
            {"restartPolicy":"Always","ports":[{"name":"side","containerPort":1,"protocol":"UDP"}]},{"ports":[{"containerPort":2}]}],\
            "containers":[{"name":"c","ports":[{"containerPort":80}]}]},\
            "status":{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00:244:0::1a"}],\
            "conditions":[{"type":"Ready","status":"False"}]}}
            """
        let decoded = decoder.decode(text.utf8)
        #expect(decoder.exactCount == 0)
        guard case .pod(let pod) = decoded.object else { throw BrokenLaw("no pod: \(decoded)") }
        #expect(pod.metadata.labels == ["app": "web", "ka": "é"])
        #expect(pod.metadata.annotations == ["kubernetes.io/config.hash": "h"])
        #expect(pod.nodeName == "node-a" && pod.serviceAccount == "sa" && pod.hostNetwork && pod.isTerminating)
        #expect(pod.ports.map(\.port) == [1, 80] && pod.addresses.map { "\($0)" } == ["10.0.0.1", "fd00:244::1a"])
        #expect(pod.owners == [ObjectOwner(kind: "ReplicaSet", name: "r")] && !pod.isReady && pod.metadata.uid == "u")
        try WireLaws.agree(Array(text.utf8), &decoder, kind: "Pod", apiVersion: "v1")
    }

    @Test func bookmarksAndDeletedKindsHaveNoObject() throws {
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        let bookmark =
            #"{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"401","annotations":{"k8s.io/initial-events-end":"true"}},"spec":{"containers":null},"status":{}}"#
        let decoded = decoder.decode(bookmark.utf8)
        #expect(decoded.object == nil && decoded.resourceVersion == "401" && decoded.endsInitialEvents)
    }

    @Test func policiesAreReadByTheExactPath() throws {
        for (file, kind, version, count) in [
            ("b/24-networkpolicies", "NetworkPolicy", "networking.k8s.io/v1", 10),
            ("b/19-crd-list", "CiliumNetworkPolicy", "cilium.io/v2", 2),
            ("b/21-cidrgroups", "CiliumCIDRGroup", "cilium.io/v2", 1),
        ] {
            var decoder = WireDecoder(kind: kind, apiVersion: version)
            let objects = try WireDecoderTests.firstItems("\(file).http").map { decoder.decode($0) }
            #expect(
                objects.count >= min(count, 1) && objects.allSatisfy { $0.object?.kind == kind }, "\(file): \(objects)")
        }
        var decoder = WireDecoder(kind: "NetworkPolicy", apiVersion: "networking.k8s.io/v1")
        let refused = decoder.decode(
            #"{"metadata":{"name":"p","namespace":"shop"},"spec":{"podSelectr":{}}}"#.utf8)
        #expect(
            refused.object == nil && !refused.isMalformed && refused.refusals.count == 1 && refused.name == "p"
                && !refused.diagnostics.isEmpty)
    }

    @Test func manifestsAsJSON() throws {
        var count = 0
        for folder in ["Manifests", "Conformance"] {
            for path in SharedCorpus.files(under: folder) {
                for document in DocumentReader.read(try SharedCorpus.bytes(path), file: path).documents {
                    guard let kind = document["kind"]?.string,
                        let known = WireLaws.kinds.first(where: { $0.kind == kind })
                    else { continue }
                    var decoder = WireDecoder(kind: known.kind, apiVersion: known.apiVersion)
                    try WireLaws.agree(
                        Array(JSONWriting.text(of: document).utf8), &decoder, kind: known.kind,
                        apiVersion: known.apiVersion)
                    count += 1
                }
            }
        }
        #expect(count > 500)
    }

    static let small =
        #"{"metadata":{"name":"a-0","namespace":"shop","uid":"0-1","labels":{"app":"é\ud83d\ude00","b":""},"annotations":{"x":"y"}},"spec":{"nodeName":"n","hostNetwork":false,"containers":[{"ports":[{"name":"http","containerPort":8080}]}]},"status":{"podIP":"10.0.0.1","x":[-0.5e+3,null,true,0]}}"#

    @Test func everyTruncationIsRefused() throws {
        let whole = Array(WireDecoderTests.small.utf8)
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        #expect(decoder.decode(whole).object != nil && decoder.exactCount == 0)
        for count in 0..<whole.count {
            let cut = decoder.decode(whole[..<count])
            #expect(cut.object == nil && cut.isMalformed && !cut.diagnostics.isEmpty, "\(count) bytes")
        }
        let pod = try WireDecoderTests.pods()[0]
        for count in stride(from: 1, to: pod.count, by: 97) { #expect(decoder.decode(pod[..<count]).object == nil) }
    }

    @Test(arguments: [
        #"{"metadata":{"name":"a","name":"b"}}"#, #"{"metadata":{"name":"a"},"x":{"k":1,"\u006b":2}}"#,
        #"{"metadata":{"name":"a"},"x":{"a-key-of-more-than-16":1,"a-key-of-more-than-16":2}}"#,
        #"{"metadata":{"name":"a"},"x":{"a-key-of-more-than-16":1,"a-kEy-of-more-than-16":2}}"#,
        #"{"metadata":{"name":"a"},"x":{"é":1,"e\u0301":2}}"#, #"{"metadata":{"name":"a"},"x":"\ud800"}"#,
        #"{"metadata":{"name":"a"},"x":"\udc00\ud800"}"#, #"{"metadata":{"name":"a"},"x":"\ud83d\ude00"}"#,
        #"{"metadata":{"name":"a"},"x":"\x"}"#, #"{"metadata":{"name":"a"},"x":"\u12g4"}"#,
        #"{"metadata":{"name":"a"},"x":01}"#, #"{"metadata":{"name":"a"},"x":-}"#, #"{"metadata":{"name":"a"},"x":1.}"#,
        #"{"metadata":{"name":"a"},"x":1e}"#, #"{"metadata":{"name":"a"},"x":-0}"#,
        #"{"metadata":{"name":"a"},"x":1e999999999999999999999}"#,
        #"{"metadata":{"name":"a"},"spec":{"containers":[{"ports":[{"containerPort":99999999999999999999}]}]}}"#,
        #"{"metadata":{"name":"a"},"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}"#,
        #"{"metadata":{"name":"a"},"spec":{"containers":[{"ports":[{"containerPort":80,"protocol":"tcp"}]}]}}"#,
        #"{"metadata":{"name":"a"},"spec":{"containers":[null]}}"#, #"{"metadata":{"name":"a"},"spec":null}"#,
        #"{"metadata":{"name":"a"},"spec":[]}"#, #"{"metadata":{"name":"a"},"spec":{"hostNetwork":"true"}}"#,
        #"{"metadata":{"name":"a","labels":{"a":1}}}"#, #"{"metadata":{"name":"a","labels":null}}"#,
        #"{"metadata":{"name":"a","annotations":{"a":1}}}"#, #"{"metadata":{"name":"a","annotations":{"a":null}}}"#,
        #"{"metadata":{"name":"a","annotations":[]}}"#, #"{"metadata":{"name":"A"}}"#, #"{"metadata":{"name":""}}"#,
        #"{"metadata":{"name":"a","namespace":"B"}}"#, #"{"metadata":{}}"#, #"{"metadata":null}"#, #"{}"#, #"[]"#,
        #"null"#,
        #""#, #" "#, #"{"metadata":{"name":"a"}}{"metadata":{"name":"b"}}"#, #"{"metadata":{"name":"a"}} "#,
        #"{"metadata":{"name":"a"}},"#, #"{"metadata":{"name":"a"},}"#, #"{"metadata":{"name":"a"},"x":[1,]}"#,
        #"{"kind":"Node","apiVersion":"v1","metadata":{"name":"a"}}"#, #"{"kind":null,"metadata":{"name":"a"}}"#,
        #"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}"#,
        #"{"kind":7,"metadata":{"name":"a"}}"#, #"{"apiVersion":"v2","metadata":{"name":"a"}}"#,
        #"{"metadata":{"name":"a"},"status":{"podIPs":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]}}"#,
        #"{"metadata":{"name":"a"},"status":{"podIP":"10.0.0.01"}}"#,
        #"{"metadata":{"name":"a"},"status":{"podIPs":[{}]}}"#,
        #"{"metadata":{"name":"a"},"status":{"conditions":[{"type":"Ready","status":true}]}}"#,
        #"{"metadata":{"name":"a"},"status":{"addresses":[{"type":"InternalIP","address":"x"}]}}"#,
        #"{"metadata":{"name":"a"},"endpoints":[{"addresses":["x"]}]}"#, #"{"metadata":{"name":"a"},"x":nulL}"#,
        "{\"metadata\":{\"name\":\"a\"},\"x\":\"\u{1}\"}", "{\"metadata\":{\"name\":\"a\"},\"x\":\"\u{0}\"}",
        "\u{feff}{\"metadata\":{\"name\":\"a\"}}", "---\n{\"metadata\":{\"name\":\"a\"}}",
        "{\"metadata\":\n\t{\"name\" :\r\"a\"} }", "{\"metadata\":{\"name\":\"a\"},\"x\":\"\u{80}\u{7ff}\u{ffff}\"}",
    ])
    func hostileTexts(_ text: String) throws {
        for kind in WireLaws.kinds {
            var decoder = WireDecoder(kind: kind.kind, apiVersion: kind.apiVersion)
            try WireLaws.agree(Array(text.utf8), &decoder, kind: kind.kind, apiVersion: kind.apiVersion)
        }
    }

    @Test(arguments: [
        Array("{\"metadata\":{\"name\":\"a\"},\"x\":\"\u{e9}".utf8).dropLast() + Array("\"}".utf8),
        Array("{\"metadata\":{\"name\":\"a\"},\"x\":\"".utf8) + [0xc0, 0x80] + Array("\"}".utf8),
        Array("{\"metadata\":{\"name\":\"a\"},\"x\":\"".utf8) + [0xed, 0xa0, 0x80] + Array("\"}".utf8),
        Array("{\"metadata\":{\"name\":\"a\"},\"x\":\"".utf8) + [
            0xe2, 0x82, UInt8(ascii: "\\"), UInt8(ascii: "n"), 0xac,
        ]
            + Array("\"}".utf8),
        Array("{\"metadata\":{\"name\":\"a\"},\"".utf8) + [0xff] + Array("\":1}".utf8),
        Array("{\"metadata\":{\"name\":\"".utf8) + [0xff] + Array("\"}}".utf8),
    ])
    func bytesThatAreNoText(_ bytes: [UInt8]) throws {
        var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
        try WireLaws.agree(bytes, &decoder, kind: "Pod", apiVersion: "v1")
        #expect(decoder.decode(bytes).object == nil)
    }

    @Test func depthAndSizeHaveTheSameLimits() throws {
        for depth in [
            DocumentLimits.depth - 3, DocumentLimits.depth - 2, DocumentLimits.depth - 1, DocumentLimits.depth, 5_000,
        ] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let text =
                    "{\"metadata\":{\"name\":\"a\"},\"x\":" + String(repeating: open, count: depth) + "1"
                    + String(repeating: close, count: depth) + "}"
                var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
                try WireLaws.agree(Array(text.utf8), &decoder, kind: "Pod", apiVersion: "v1")
            }
        }
        // A map too large for the quick comparison of keys is for the exact path.
        for repeated in [false, true] {
            let labels = (0..<200).map { "\"k\(repeated && $0 == 199 ? 0 : $0)\":\"v\"" }.joined(separator: ",")
            var decoder = WireDecoder(kind: "Pod", apiVersion: "v1")
            try WireLaws.agree(
                Array("{\"metadata\":{\"name\":\"a\",\"labels\":{\(labels)}}}".utf8), &decoder, kind: "Pod",
                apiVersion: "v1")
            #expect(decoder.exactCount == 1)
        }
    }

    @Test func mutatedObjectsAreReadAsManifestsAre() throws {
        let objects =
            try [(0, Array(WireDecoderTests.small.utf8))]
            + WireDecoderTests.firstItems("b/28-namespaces.http").prefix(2).map { (1, $0) }
            + WireDecoderTests.firstItems("b/26-services.http").prefix(2).map { (3, $0) }
            + WireDecoderTests.firstItems("b/25-endpointslices.http").prefix(2).map { (4, $0) }
        let pieces = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "null", "true", "1", "-", "\\u00", "\\ud83d", "\u{e9}", " ", "\n",
            "0",
            "\"a\":1,", "{\"a\":{}},", "\"name\":\"x\",", "\"status\":{}", "\"containerPort\":0", "\u{0}",
        ].map { Array($0.utf8) }
        var random = SplitMix64(seed: 18)
        var decoders = WireLaws.kinds.map { WireDecoder(kind: $0.kind, apiVersion: $0.apiVersion) }
        var accepted = 0
        for _ in 0..<1_500 {
            var (kind, bytes) = random.pick(objects)
            for _ in 0...random.below(3) {
                let place = random.below(bytes.count)
                let length = min(random.below(8), bytes.count - place)
                switch random.below(5) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(place..<place + length)
                case 2: bytes.insert(contentsOf: random.pick(pieces), at: place)
                case 3: bytes.insert(contentsOf: bytes[place..<place + length], at: random.below(bytes.count))
                default: bytes.replaceSubrange(place..<place + length, with: random.pick(pieces))
                }
                if bytes.isEmpty { bytes = [0] }
            }
            let known = WireLaws.kinds[kind]
            try WireLaws.agree(bytes, &decoders[kind], kind: known.kind, apiVersion: known.apiVersion)
            if decoders[kind].decode(bytes).object != nil { accepted += 1 }
        }
        // Else the test would say little.
        #expect(accepted > 100 && accepted < 1_400)
    }
}
