import NetpoldTestSupport

typealias ScratchFolder = NetpoldTestSupport.ScratchFolder
