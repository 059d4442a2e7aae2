import Foundation
import Glibc
import Testing

@testable import Datapath

@Suite("the proxy's listening sockets", .needsRoot)
struct ProxyListenersTests {
    @Test("sockets that are about to be closed are given to the datapath no more, whatever gets their number")
    func ended() throws {
        let instance = "listeners-\(getpid())"
        let pins = try PinPath(instance: instance)
        try pins.create()
        defer { try? NodeDatapath.remove(pins) }
        let map = try BPFMap(
            Libbpf.createMap(
                type: .init(15), name: "np_listeners", keySize: 4, valueSize: 8, capacity: 4, flags: 0),
            name: "np_listeners")
        try Libbpf.pin(map.fd, "np_listeners", at: "\(pins.folder)/np_listeners")
        let folder = NSTemporaryDirectory() + "/netpold-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let place = ProxyPlace(instance: instance, folder: folder)
        try FileManager.default.createSymbolicLink(
            atPath: place.namespace, withDestinationPath: "/proc/self/ns/net")
        func registered() throws -> Bool { try map.value(of: UInt32(0), initial: UInt64(0)) != nil }

        let listeners = try ProxyListeners(instance: instance, count: 1, folder: folder)
        let number = listeners.sockets[0]
        #expect(try registered())
        try listeners.register()
        #expect(try registered())
        listeners.end()
        close(number)
        for _ in 0..<200 where try registered() { usleep(10_000) }
        #expect(try !registered())
        // Another listening socket gets the number.
        let other = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(listen(other, 1) == 0 && dup2(other, number) == number)
        if other != number { close(other) }
        defer { close(number) }
        try listeners.register()
        #expect(try !registered())
    }
}
