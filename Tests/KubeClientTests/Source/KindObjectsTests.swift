import Agent
import PolicyAPI
import Testing

@testable import KubeClient
@testable import KubeObjects

/// What pages and events of one kind change.
struct KindObjectsTests {
    private func pod(_ name: String, _ version: Int, ip: String = "10.0.0.1") -> String {
        #"{"metadata":{"name":"\#(name)","namespace":"shop","resourceVersion":"\#(version)"},"spec":{"containers":[]},"#
            + #""status":{"podIP":"\#(ip)"}}"#
    }

    private func page(_ items: [String]) throws -> KindChange {
        let text = #"{"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[\#(items.joined(separator: ","))]}"#
        return .page(try ListPage(parsing: Array(text.utf8)), place: 0)
    }

    private func policies(_ items: [String]) throws -> KindChange {
        let text = #"{"metadata":{"resourceVersion":"9"},"kind":"ClusterNetworkPolicyList","items":["#
        return .page(try ListPage(parsing: Array("\(text)\(items.joined(separator: ","))]}".utf8)), place: 0)
    }

    private func event(_ type: String, _ object: String) throws -> KindChange {
        .events([try WatchLine(parsing: Array(#"{"type":"\#(type)","object":\#(object)}"#.utf8)[...])], place: 0)
    }

    /// In words: `+` for a good object, `-` for one that is gone, `!` for a refused one.
    private func words(_ news: [ObjectKey: ObjectNews]) -> [String] {
        news.sorted { $0.key < $1.key }.flatMap { key, one in
            one.events.map {
                switch $0 {
                case .upsert: "+\(key.name)"
                case .delete: "-\(key.name)"
                case .refused: "!\(key.name)"
                case .synced: "?"
                }
            }
        }
    }

    private func objects() -> KindObjects {
        KindObjects(.pod, apiVersions: ["v1"], decoder: WireObjectDecoder())
    }

    @Test func aNewSetIsComparedWithTheOldOne() throws {
        var objects = objects()
        _ = objects.take(.begin)
        #expect(words(objects.take(try page([pod("a", 1), pod("b", 2)]))) == [])
        #expect(words(objects.take(try page([pod("c", 3)]))) == [])
        #expect(words(objects.take(.replace)) == ["+a", "+b", "+c"])
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("a", 1), pod("b", 5, ip: "10.0.0.5"), pod("d", 6)]))
        #expect(words(objects.take(.replace)) == ["+b", "-c", "+d"])
        #expect(objects.count == 3)
    }

    @Test func whatIsDiscardedChangesNothing() throws {
        var objects = objects()
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("a", 1)]))
        #expect(words(objects.take(.replace)) == ["+a"])
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("x", 7)]))
        #expect(words(objects.take(.discard)) == [])
        _ = objects.take(.begin)
        #expect(words(objects.take(.replace)) == ["-a"], "x was never there")
    }

    @Test func eventsCountAtOnceAndRepeatedOnesNot() throws {
        var objects = objects()
        #expect(words(objects.take(try event("ADDED", pod("a", 1)))) == ["+a"])
        #expect(words(objects.take(try event("MODIFIED", pod("a", 1)))) == [])
        #expect(words(objects.take(try event("MODIFIED", pod("a", 2, ip: "nonsense")))) == ["!a"])
        #expect(words(objects.take(try event("DELETED", pod("a", 3)))) == ["-a"])
        #expect(words(objects.take(.remove)) == [])
    }

    /// After a restore of etcd a version may be of something else.
    @Test func theSameVersionWithOtherBytesIsNews() throws {
        var objects = objects()
        _ = objects.take(try event("ADDED", pod("a", 1, ip: "10.0.0.1")))
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("a", 1, ip: "10.0.0.2")]))
        #expect(words(objects.take(.replace)) == ["+a"])
    }

    /// A list in which something cannot be read does not say what is gone.
    @Test(
        "a list that cannot be read whole takes nothing away, however often it comes",
        arguments: [#"{"metadata":{}}"#, #"{"metadata":{"name":"c","namespace":"shop"},"spec":{]}"#, "7"])
    func aListThatCannotBeReadWholeTakesNothingAway(item: String) throws {
        var objects = objects()
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("a", 1), pod("b", 2)]))
        _ = objects.take(.replace)
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("a", 1), item]))
        let said = words(objects.take(.replace))
        #expect(!said.contains("-b") && objects.unreadable == 1, "\(said)")
        // Nor does the same list again.
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("a", 1), item]))
        let again = words(objects.take(.replace))
        #expect(!again.contains("-b") && objects.unreadable == 1, "\(again)")
        _ = objects.take(.begin)
        _ = objects.take(try page([pod("a", 1)]))
        #expect(words(objects.take(.replace)).contains("-b") && objects.unreadable == 0)
    }

    private func initial(_ type: String, _ object: String) throws -> KindChange {
        .initial([try WatchLine(parsing: Array(#"{"type":"\#(type)","object":\#(object)}"#.utf8)[...])], place: 0)
    }

    /// The cache of another server may be behind that of the one before: its stream then begins with an older state, and goes on to
    /// the one that is known.
    @Test("a stream that begins with an older state ends with the one in force")
    func aStreamThatBeginsWithAnOlderStateEndsWithTheOneInForce() throws {
        var objects = objects()
        _ = objects.take(try event("ADDED", pod("a", 2, ip: "10.0.0.2")))
        _ = objects.take(.begin)
        _ = objects.take(try initial("ADDED", pod("a", 1, ip: "10.0.0.1")))
        _ = objects.take(try initial("MODIFIED", pod("a", 2, ip: "10.0.0.2")))
        #expect(words(objects.take(.replace)) == [], "the address in force is that of version 2")
        _ = objects.take(.begin)
        _ = objects.take(try initial("ADDED", pod("a", 1, ip: "10.0.0.1")))
        #expect(words(objects.take(.replace)) == ["+a"])
    }

    /// A namespace of an object without namespaces is nonsense, and makes it no other object.
    @Test("the namespace of a cluster-scoped object comes and goes, and the object stays")
    func aNamespaceOfAClusterScopedObjectSaysNothing() throws {
        var objects = KindObjects(
            .clusterNetworkPolicy, apiVersions: ["policy.networking.k8s.io/v1alpha2"], decoder: WireObjectDecoder())
        for (number, namespace) in ["", #","namespace":"zz""#, "", #","namespace":"yy""#].enumerated() {
            _ = objects.take(.begin)
            let metadata = #"{"name":"adm"\#(namespace),"resourceVersion":"\#(number)"}"#
            _ = objects.take(try policies([#"{"metadata":\#(metadata),"spec":{"tier":"Admin","priority":1}}"#]))
            let said = words(objects.take(.replace))
            #expect(said.count == 1 && !said.contains("-adm") && objects.count == 1, "\(said)")
        }
        _ = objects.take(try event("DELETED", #"{"metadata":{"name":"adm","namespace":"xx"}}"#))
        #expect(objects.count == 0)
    }

    private func pod(uid: String) -> String {
        let uid = uid.isEmpty ? "" : #","uid":"\#(uid)""#
        return #"{"metadata":{"name":"a","namespace":"shop"\#(uid)},"spec":{"containers":[]}}"#
    }

    @Test(
        "the end of an object with another uid takes nothing away, and is not believed",
        arguments: [("u-1", "u-2", false), ("u-1", "u-1", true), ("u-1", "", true), ("", "u-2", true)])
    func anEndIsOfTheObjectWithThatUID(held: String, ended: String, isBelieved: Bool) throws {
        var objects = objects()
        _ = objects.take(.begin)
        _ = objects.take(try page([pod(uid: held)]))
        _ = objects.take(.replace)
        #expect(words(objects.take(try event("DELETED", pod(uid: ended)))) == (isBelieved ? ["-a"] : []))
        #expect((objects.doubt == nil) == isBelieved && objects.count == (isBelieved ? 0 : 1))
        _ = objects.take(try event("ADDED", pod("b", 7)))
        #expect(objects.doubt == nil, "it is said once")
        // Of the first events of a stream the same holds.
        _ = objects.take(.begin)
        _ = objects.take(try initial("ADDED", pod(uid: held)))
        _ = objects.take(try initial("DELETED", pod(uid: ended)))
        #expect((objects.doubt == nil) == isBelieved)
    }

    @Test func anEndWithoutANamespaceSaysNotWhatEnded() throws {
        var objects = objects()
        _ = objects.take(try event("ADDED", pod("a", 1)))
        #expect(words(objects.take(try event("DELETED", #"{"metadata":{"name":"a"}}"#))) == [])
        #expect(objects.doubt?.contains("no namespace") == true && objects.count == 1)
    }

    @Test func aRefusedUpdateComesAfterTheVersionBeforeIt() throws {
        var news = ObjectNews()
        var objects = objects()
        for change in [try event("ADDED", pod("a", 1)), try event("MODIFIED", pod("a", 2, ip: "x"))] {
            for one in objects.take(change).values { news.add(one) }
        }
        #expect(news.events.count == 2, "both count: the last good version stays in force")
        if case .upsert = news.events[0], case .refused = news.events[1] { return }
        Issue.record("\(news.events)")
    }
}
