import Glibc
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// What loads programs on several CPUs leaves no thread in the network namespace that it was called from: Swift's pool would open the
/// sockets of the whole process there.
@Suite("Threads that load programs")
struct LoadThreadsTests {
    @Test("many programs loaded inside a network namespace leave no thread there")
    func namespace() throws {
        let scratch = try ScratchFolder()
        let path = scratch.path + "/namespace"
        let namespace = try NetworkNamespace.create(at: path)
        defer { try? NetworkNamespace.remove(at: path) }
        let names = (0..<8).map { "web-\($0)" }
        let image = try NodeImages.node(
            subjects: try names.map { name in
                try NodeImages.subject(
                    name,
                    ingress: NodeImages.policy(
                        .ingress, [NodeImages.bit(0, port: 80)], peers: [NodeImages.clientID: 1]))
            },
            endpoints: names.enumerated().map { number, name in
                NodeImages.endpoint(name, IPAddress(ipv4: 0x0a00_0100 + UInt32(number)), subject: name)
            })
        let (inside, loaded) = try namespace.run {
            let datapath = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none))
            let report = try datapath.apply(image, links: [:])
            var place = stat()
            try #require(stat("/proc/thread-self/ns/net", &place) == 0)
            return (place.st_ino, report.endpoints.count { $0.failure == nil })
        }
        #expect(loaded == names.count)
        // Threads that have ended take a moment to go.
        var left: [String] = []
        for _ in 0..<100 {
            left = try Self.threads(in: inside)
            if left.isEmpty { break }
            usleep(10_000)
        }
        #expect(left == [])
    }

    private static func threads(in namespace: UInt) throws -> [String] {
        let folder = try #require(opendir("/proc/self/task"))
        defer { closedir(folder) }
        var found: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var place = stat()
            if stat("/proc/self/task/\(name)/ns/net", &place) == 0, place.st_ino == namespace { found.append(name) }
        }
        return found
    }
}
