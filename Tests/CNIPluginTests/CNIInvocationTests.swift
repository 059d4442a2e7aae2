import Testing

@testable import CNIPlugin

@Suite("CNI: what the runtime says")
struct CNIInvocationTests {
    private static let add = [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c0ffee", "CNI_NETNS": "/run/netns/a", "CNI_IFNAME": "eth0",
        "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=db;K8S_POD_UID=u-1",
    ]

    @Test("an ADD with the pod in its arguments")
    func add() throws {
        let invocation = try CNIInvocation(environment: Self.add)
        #expect(invocation.command == .add)
        let pod = CNIPod(invocation)
        #expect(pod.namespace == "shop" && pod.name == "db" && pod.uid == "u-1")
    }

    @Test(
        "a variable that is missing or that would lead out of the folder of notes is refused by name",
        arguments: [
            ("CNI_COMMAND", ""), ("CNI_COMMAND", "add"), ("CNI_CONTAINERID", ""), ("CNI_CONTAINERID", "../../etc/x"),
            ("CNI_CONTAINERID", ".hidden"), ("CNI_IFNAME", "a/b"), ("CNI_IFNAME", "sixteen-letters-x"),
            ("CNI_NETNS", ""), ("CNI_NETNS", "run/netns/a"), ("CNI_ARGS", "K8S_POD_NAME"),
        ])
    func refused(variable: String, value: String) {
        var environment = Self.add
        environment[variable] = value
        let error = #expect(throws: CNIError.self) { try CNIInvocation(environment: environment) }
        #expect(error?.code == .invalidEnvironment)
        #expect(error?.message.contains(variable) == true)
    }

    @Test("DEL may come without a namespace; GC, STATUS and VERSION name no container")
    func others() throws {
        var environment = Self.add
        environment["CNI_COMMAND"] = "DEL"
        environment["CNI_NETNS"] = nil
        #expect(try CNIInvocation(environment: environment).netns.isEmpty)
        for command in ["GC", "STATUS", "VERSION"] {
            #expect(try CNIInvocation(environment: ["CNI_COMMAND": command]).command.rawValue == command)
        }
    }

    @Test(
        "configurations that are refused",
        arguments: [
            ("[]", CNIError.Code.notDecodable), ("{", .notDecodable), ("", .notDecodable),
            (#"{"name":"a"}"#, .incompatibleVersion), (#"{"cniVersion":"0.2.0","name":"a"}"#, .incompatibleVersion),
            (#"{"cniVersion":"1.0.0"}"#, .invalidConfiguration),
            (#"{"cniVersion":"1.0.0","name":"../a"}"#, .invalidConfiguration),
            (#"{"cniVersion":"1.0.0","name":"a","waitSeconds":"9"}"#, .invalidConfiguration),
            (#"{"cniVersion":"1.0.0","name":"a","waitSeconds":601}"#, .invalidConfiguration),
            (#"{"cniVersion":"1.0.0","name":"a","onTimeout":"open"}"#, .invalidConfiguration),
            (#"{"cniVersion":"1.0.0","name":"a","prevResult":[]}"#, .invalidConfiguration),
            (#"{"cniVersion":"1.1.0","name":"a","cni.dev/valid-attachments":{}}"#, .invalidConfiguration),
        ])
    func configuration(text: String, code: CNIError.Code) {
        let error = #expect(throws: CNIError.self) { try CNIConfiguration(Array(text.utf8), for: .add) }
        #expect(error?.code == code)
    }

    @Test("every cut of a configuration is refused, none traps")
    func cuts() {
        let text =
            #"{"cniVersion":"1.0.0","name":"pods","type":"netpold","prevResult":{"cniVersion":"1.0.0","ips":[]}}"#
        let bytes = Array(text.utf8)
        for end in bytes.indices { #expect((try? CNIConfiguration(Array(bytes[..<end]), for: .add)) == nil) }
        #expect((try? CNIConfiguration(bytes, for: .add)) != nil)
    }
}
