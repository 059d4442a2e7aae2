import NetTypes
import PolicyAPI
import Testing

@testable import Agent

struct PodDirectoryTests {
    @Test("pods that claim one address, or have one UID, are all found until each is gone, whatever the order")
    func several() {
        let address = IPAddress(ipv4: 0x0a00_0001)
        let pods = ["a", "b", "c"].map { name in
            Pod(metadata: ObjectMeta(name: name, namespace: "n", uid: "same"), addresses: [address])
        }
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var directory = PodDirectory()
            for pod in pods + pods { directory.set(pod) }
            var left = Set(pods.map(\.qualifiedName))
            for index in order {
                #expect(directory.owners(of: address) == left)
                #expect(directory.names(withUID: "same") == left)
                directory.remove(pods[index].qualifiedName)
                left.remove(pods[index].qualifiedName)
            }
            #expect(directory.owners(of: address).isEmpty)
            #expect(directory.names(withUID: "same").isEmpty)
        }
    }
}
