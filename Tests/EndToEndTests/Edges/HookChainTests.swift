import Agent
import BPFEmit
import Glibc
import Support
import Testing

@testable import Datapath

/// Others' programs at the hooks of pods.
@Suite("edges: programs of others at a pod's hooks", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct HookChainTests {
    private let world: EdgeWorld

    init() throws { world = try EdgeWorld() }

    /// A program at one hook of the server's veth, in front of what is there, as long as it lives.
    private final class Other {
        private let program: BPFProgram
        private let link: OwnedDescriptor

        /// In the node's namespace.
        init(_ side: TCXDirection, returning value: Int32, name: String) throws {
            // r0 = value; exit
            let code = EncodedProgram(
                instructions: [0xb7 | UInt64(UInt32(bitPattern: value)) << 32, 0x95], mapReferences: [])
            program = try BPFProgram(code, name: name, hitBase: 0, maps: [:])
            link = try Libbpf.createLink(program: program.fd, ifindex: if_nametoindex("np0"), side)
        }
    }

    /// Programs at both hooks.
    private func others(returning value: Int32, name: String) throws -> [Other] {
        try world.network.routed.node.run {
            try [TCXDirection.ingress, .egress].map { try Other($0, returning: value, name: name) }
        }
    }

    /// Something for the agent to apply: hooks are looked at afterwards.
    private func applySomething(_ name: String) throws {
        try world.agent.write(
            "extra.yaml",
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: \(name), namespace: lab}
            spec: {podSelector: {matchLabels: {app: server}}, policyTypes: [Ingress]}
            """)
        try world.agent.settle()
    }

    private func bypassed() throws -> [Condition] {
        try world.agent.status().conditions.filter { $0.kind == .hookBypassed }
    }

    @Test("one that was attached earlier and says OK to everything bypasses nothing")
    func earlierOK() throws {
        let others = try others(returning: 0, name: "says_ok")
        defer { withExtendedLifetime(others) {} }
        try world.agent.start()
        #expect(try world.pairs() == EdgeWorld.allowed)
        #expect(try bypassed() == [])
        #expect(try world.agent.waitCode() == 0)
    }

    @Test("one behind netpold still sees what netpold lets pass")
    func behindRuns() throws {
        var others = try others(returning: 2, name: "drops_all")
        try world.agent.start()
        #expect(try world.pairs() == ["client>spy"])
        withExtendedLifetime(others) { others = [] }
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("so does a clsact filter behind netpold's TCX program")
    func filterBehindRuns() throws {
        try world.agent.start()
        #expect(try world.agent.status().attachments.keys.sorted() == ["tcx"])
        let code = EncodedProgram(instructions: [0xb7 | 2 << 32, 0x95], mapReferences: [])
        let program = try BPFProgram(code, name: "drops_all", hitBase: 0, maps: [:])
        try world.network.routed.node.run {
            let hook = Hook.both(of: if_nametoindex("np0"))[0]
            try Libbpf.attachFilter(program: program.fd, hook)
        }
        #expect(try world.pairs() == ["client>spy"])
    }

    @Test("one that somebody puts in front is a severe condition, and the next agent goes to the front again")
    func inFront() throws {
        try world.agent.start()
        let others = try others(returning: 0, name: "says_ok")
        #expect(try world.pairs() != EdgeWorld.allowed)
        try applySomething("one")
        let found = try bypassed()
        #expect(found.count == 2 && found.allSatisfy { $0.subject == "lab/server" && $0.isSevere })
        #expect(found.first?.message.contains("(says_ok) runs before netpold") == true)
        #expect(try world.agent.waitCode() == 1)
        world.agent.end(SIGTERM)
        try world.agent.start()
        #expect(try bypassed() == [])
        #expect(try world.pairs() == EdgeWorld.allowed)
        withExtendedLifetime(others) {}
    }

    @Test("one in front that goes takes its condition with it")
    func frontGoes() throws {
        try world.agent.start()
        var others = try others(returning: 0, name: "says_ok")
        try applySomething("one")
        #expect(try bypassed().count == 2)
        withExtendedLifetime(others) { others = [] }
        try applySomething("two")
        #expect(try bypassed() == [])
        #expect(try world.agent.waitCode() == 0)
    }
}
