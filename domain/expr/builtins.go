package expr

import "maps"

// builtins holds the names that every program can read.
var builtins = predeclared()

func predeclared() map[string]Value {
	out := map[string]Value{}
	for _, k := range []*Class{objectClass, intClass, boolClass, floatClass, strClass, bytesClass, listClass,
		tupleClass, dictClass, setClass, frozensetClass, rangeClass, typeClass} {
		out[k.name] = k
	}
	for name, k := range exceptions {
		out[name] = k
	}
	out["EnvironmentError"], out["IOError"] = osError, osError
	for _, group := range []map[string]func(*Call) (Value, error){
		objectFunctions, iterationFunctions, numberFunctions, policyFunctions,
	} {
		for name, fn := range group {
			out[name] = Builtin(name, fn)
		}
	}
	return out
}

// The classes and their methods refer to each other, so the knot is tied here.
func init() {
	strClass.methods, bytesClass.methods = strMethods, bytesMethods
	listClass.methods, tupleClass.methods = listMethods, tupleMethods
	dictClass.methods, setClass.methods = dictMethods, maps.Clone(setMethods)
	frozensetClass.methods = frozensetMethods
	maps.Copy(setClass.methods, frozensetMethods)
	intClass.methods, floatClass.methods = intMethods, floatMethods
	intClass.fields = intFields

	strClass.make, bytesClass.make = makeStr, makeBytes
	listClass.make, tupleClass.make = makeList, makeTuple
	dictClass.make, setClass.make, frozensetClass.make = makeDict, makeSet, makeFrozenset
	intClass.make, floatClass.make, boolClass.make = makeInt, makeFloat, makeBool
	rangeClass.make, typeClass.make, objectClass.make = makeRange, makeType, makeObject

	validationError.make = makeValidationError
	momentClass.make = makeMoment

	dictClass.statics = map[string]Value{"fromkeys": Builtin("fromkeys", dictFromKeys)}
	strClass.statics = map[string]Value{"maketrans": Builtin("maketrans", strMakeTrans)}
	bytesClass.statics = map[string]Value{"fromhex": Builtin("fromhex", bytesFromHex)}
	intClass.statics = map[string]Value{"from_bytes": Builtin("from_bytes", intFromBytes)}
}
